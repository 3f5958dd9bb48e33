// Four numbers at once: the 128-bit vectors of WebAssembly behind short names.
#pragma once
#include <wasm_simd128.h>

#define ALWAYS_INLINE inline __attribute__((always_inline))
#define EXPORT(name) __attribute__((export_name(#name)))

typedef unsigned char u8;
typedef float f4 __attribute__((vector_size(16)));
typedef int i4 __attribute__((vector_size(16)));
typedef unsigned u4 __attribute__((vector_size(16)));

typedef short s8 __attribute__((vector_size(16)));

// As `f4` and `i4`, at any address.
typedef f4 f4_anywhere __attribute__((aligned(4)));

static inline f4 all(float x) { return (f4){x, x, x, x}; }
static inline i4 whole(int x) { return (i4){x, x, x, x}; }

static const i4 FIRST_FOUR = {0, 1, 2, 3};

static inline f4 four_at(const float *at) { return *(const f4_anywhere *)at; }
static inline void put_four(float *at, f4 v) { *(f4_anywhere *)at = v; }

static inline float least(float a, float b) { return a < b ? a : b; }
static inline float greatest(float a, float b) { return a > b ? a : b; }
static inline int least_of(int a, int b) { return a < b ? a : b; }
static inline int greatest_of(int a, int b) { return a > b ? a : b; }

static inline f4 least4(f4 a, f4 b) { return (f4)wasm_f32x4_pmin((v128_t)a, (v128_t)b); }
static inline f4 greatest4(f4 a, f4 b) { return (f4)wasm_f32x4_pmax((v128_t)a, (v128_t)b); }
// `low` for what is not a number.
static inline f4 clamped(f4 v, float low, float high) { return least4(greatest4(all(low), v), all(high)); }

// Of numbers that 32 bits hold; for others the answer depends on the processor.
static inline i4 truncated(f4 v) { return (i4)wasm_i32x4_relaxed_trunc_f32x4((v128_t)v); }
static inline f4 rounded(f4 v) { return (f4)wasm_f32x4_nearest((v128_t)v); }
static inline f4 ceilings(f4 v) { return (f4)wasm_f32x4_ceil((v128_t)v); }
static inline f4 floors(f4 v) { return (f4)wasm_f32x4_floor((v128_t)v); }
static inline f4 floats(i4 v) { return (f4)wasm_f32x4_convert_i32x4((v128_t)v); }

static inline int any(i4 mask) { return wasm_v128_any_true((v128_t)mask); }
static inline f4 choose(i4 mask, f4 yes, f4 no) {
    return (f4)wasm_v128_bitselect((v128_t)yes, (v128_t)no, (v128_t)mask);
}

// Rows become columns.
static inline void transpose(f4 *v) {
    f4 a = __builtin_shufflevector(v[0], v[1], 0, 4, 1, 5), b = __builtin_shufflevector(v[0], v[1], 2, 6, 3, 7);
    f4 c = __builtin_shufflevector(v[2], v[3], 0, 4, 1, 5), d = __builtin_shufflevector(v[2], v[3], 2, 6, 3, 7);
    v[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5), v[1] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
    v[2] = __builtin_shufflevector(b, d, 0, 1, 4, 5), v[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
}

// Sums of rows of numbers with weights, to `to`. Fifteen numbers more may be written.
static inline void weighted_sum(const float *rows, const float *weights, int count, int size, float *to) {
    for (int at = 0; at < size; at += 16) {
        f4 sum[4] = {0};
        const float *of = rows + at;
        for (int k = 0; k < count; k++, of += size)
            for (int part = 0; part < 4; part++) sum[part] += four_at(of + 4 * part) * all(weights[k]);
        for (int part = 0; part < 4; part++) put_four(to + at + 4 * part, sum[part]);
    }
}

static inline s8 eight(int x) { return (s8)wasm_i16x8_splat(x); }
static inline s8 eight_at(const short *at) { return (s8)wasm_v128_load(at); }
static inline void put_eight(short *at, s8 v) { wasm_v128_store(at, (v128_t)v); }
static inline s8 first_bytes(v128_t v) { return (s8)wasm_u16x8_extend_low_u8x16(v); }
static inline s8 last_bytes(v128_t v) { return (s8)wasm_u16x8_extend_high_u8x16(v); }
static inline s8 eight_bytes(const u8 *at) { return (s8)wasm_u16x8_load8x8(at); }
// Clipped to 0..255.
static inline v128_t as_bytes(s8 a, s8 b) { return wasm_u8x16_narrow_i16x8((v128_t)a, (v128_t)b); }

// Rounded a * b / 32768; not for two times -32768, of which the answer depends on the processor.
static inline s8 product(s8 a, s8 b) { return (s8)wasm_i16x8_relaxed_q15mulr((v128_t)a, (v128_t)b); }

static inline s8 choose8(v128_t mask, s8 yes, s8 no) { return (s8)wasm_v128_bitselect((v128_t)yes, (v128_t)no, mask); }

// The numbers of 16 bits at the bytes a and b, each four times.
#define EACH_FOUR(v, a, b)                                                                                             \
    (s8) wasm_i8x16_shuffle((v128_t)(v), (v128_t)(v), a, a + 1, a, a + 1, a, a + 1, a, a + 1, b, b + 1, b, b + 1, b,   \
                            b + 1, b, b + 1)
