// Between the four pixels about a place: sums of bytes with weights of 16 bits.
#pragma once
#include "vectors.h"

#define ONE 16384 // the sum of the four weights of a place

// Of four places; of the upper and the lower two pixels, the left one's in the lower half of each number.
typedef struct { i4 upper, lower; } Weights;

// How far to the right and down the places are, 0 to 1.
static inline Weights weights_of(f4 right, f4 down) {
    f4 both = right * down;
    i4 of_both = truncated(both * all(ONE)), of_right = truncated((right - both) * all(ONE));
    i4 of_below = truncated((down - both) * all(ONE));
    return (Weights){(whole(ONE) - of_both - of_right - of_below) | (of_right << 16), of_below | (of_both << 16)};
}

// Pairs of neighbours, as 16 bits, of the upper and the lower row with their weights: whole levels.
static inline i4 mixed(v128_t upper, v128_t lower, i4 of_upper, i4 of_lower) {
    i4 sum = (i4)wasm_i32x4_dot_i16x8(upper, (v128_t)of_upper) + (i4)wasm_i32x4_dot_i16x8(lower, (v128_t)of_lower);
    return (sum + whole(ONE / 2)) >> 14;
}

// Four vectors, each with one of the numbers of a vector in all places.
#define EACH_LANE(v)                                                                                                   \
    {__builtin_shufflevector(v, v, 0, 0, 0, 0), __builtin_shufflevector(v, v, 1, 1, 1, 1),                             \
     __builtin_shufflevector(v, v, 2, 2, 2, 2), __builtin_shufflevector(v, v, 3, 3, 3, 3)}
