// Four pixels of three bytes, red, green and blue, as numbers.
#pragma once
#include "vectors.h"

typedef struct { f4 red, green, blue; } Colours;

static inline Colours colours_at(const u8 *pixels) {
    v128_t twelve = wasm_v128_load(pixels), none = wasm_i32x4_splat(0);
    i4 red = (i4)wasm_i8x16_shuffle(twelve, none, 0, 16, 16, 16, 3, 16, 16, 16, 6, 16, 16, 16, 9, 16, 16, 16);
    i4 green = (i4)wasm_i8x16_shuffle(twelve, none, 1, 16, 16, 16, 4, 16, 16, 16, 7, 16, 16, 16, 10, 16, 16, 16);
    i4 blue = (i4)wasm_i8x16_shuffle(twelve, none, 2, 16, 16, 16, 5, 16, 16, 16, 8, 16, 16, 16, 11, 16, 16, 16);
    return (Colours){floats(red), floats(green), floats(blue)};
}

static inline i4 bytes(f4 levels) { return truncated(rounded(clamped(levels, 0, 255))); }

static inline void put_colours(u8 *pixels, Colours of) {
    v128_t packed = (v128_t)(bytes(of.red) | (bytes(of.green) << 8) | (bytes(of.blue) << 16));
    packed = wasm_i8x16_shuffle(packed, packed, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 7, 11, 15);
    wasm_v128_store64_lane(pixels, packed, 0);
    wasm_v128_store32_lane(pixels + 8, packed, 2);
}
