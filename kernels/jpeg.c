// The cosine transform of JPEG in whole numbers, bit for bit that of libjpeg (Loeffler, Ligtenberg and Moschytz 1989).
//
// Numbers and sums of them have 16 bits, which is enough: on the way to frequencies the greatest is the sum of 64
// samples of -128, times 4; on the way back what one pass gives, of eight samples and the errors of eight frequencies,
// is below 8400, and two of it are added. Products are summed in 32 bits two by two, so a factor is the sum of two of
// the paper's.
#include "jpeg.h"

#define BITS 13 // after the point, of the constants
#define MORE 2  // bits that are kept between the two passes

// 2 ** 13 times the constants of the paper.
enum {
    F_0_299 = 2446, F_0_390 = 3196, F_0_541 = 4433, F_0_765 = 6270, F_0_900 = 7373, F_1_176 = 9633,
    F_1_501 = 12299, F_1_848 = 15137, F_1_962 = 16069, F_2_053 = 16819, F_2_563 = 20995, F_3_073 = 25172,
};

// Eight numbers of 32 bits.
typedef struct { i4 first, last; } Wide;

static inline Wide sum(Wide a, Wide b) { return (Wide){a.first + b.first, a.last + b.last}; }
static inline Wide difference(Wide a, Wide b) { return (Wide){a.first - b.first, a.last - b.last}; }
static inline Wide plus(Wide a, int b) { return (Wide){a.first + whole(b), a.last + whole(b)}; }
static inline s8 shifted(Wide a, int bits) {
    return (s8)wasm_i16x8_narrow_i32x4((v128_t)(a.first >> bits), (v128_t)(a.last >> bits));
}

static inline s8 descaled(Wide a, int bits) { return shifted(plus(a, 1 << (bits - 1)), bits); }

// Numbers of two vectors in turns.
typedef struct { v128_t first, last; } Pairs;

static inline Pairs paired(s8 a, s8 b) {
    return (Pairs){wasm_i16x8_shuffle((v128_t)a, (v128_t)b, 0, 8, 1, 9, 2, 10, 3, 11),
                   wasm_i16x8_shuffle((v128_t)a, (v128_t)b, 4, 12, 5, 13, 6, 14, 7, 15)};
}

// Of each pair the sum of the first with one factor and the second with another one.
static inline Wide weighted(Pairs of, int first, int second) {
    v128_t factors = (v128_t)whole((first & 0xffff) | (int)((unsigned)second << 16));
    return (Wide){(i4)wasm_i32x4_dot_i16x8(of.first, factors), (i4)wasm_i32x4_dot_i16x8(of.last, factors)};
}

// Numbers with odd places: the same products, in and out, serve both directions.
typedef struct { Wide a, b, c, d; } Odd;

static inline Odd odd_part(s8 a, s8 b, s8 c, s8 d) {
    Pairs outer = paired(a, d), inner = paired(b, c), both = paired(a + c, b + d);
    Wide z3 = weighted(both, F_1_176 - F_1_962, F_1_176), z4 = weighted(both, F_1_176, F_1_176 - F_0_390);
    return (Odd){sum(weighted(outer, F_0_299 - F_0_900, -F_0_900), z3),
                 sum(weighted(inner, F_2_053 - F_2_563, -F_2_563), z4),
                 sum(weighted(inner, -F_2_563, F_3_073 - F_2_563), z3),
                 sum(weighted(outer, -F_0_900, F_1_501 - F_0_900), z4)};
}

// Down the columns; `even` and `odd` are the bits to descale by, even < 0 to multiply.
static inline void forward(Block v, int even, int odd) {
    s8 low[4], high[4];
    for (int k = 0; k < 4; k++) low[k] = v[k] + v[7 - k], high[k] = v[k] - v[7 - k];
    s8 outer = low[0] + low[3], inner = low[1] + low[2], half = eight(even < 0 ? 0 : 1 << even >> 1);
    v[0] = even < 0 ? (outer + inner) << -even : (outer + inner + half) >> even;
    v[4] = even < 0 ? (outer - inner) << -even : (outer - inner + half) >> even;
    Pairs of = paired(low[0] - low[3], low[1] - low[2]);
    v[2] = descaled(weighted(of, F_0_541 + F_0_765, F_0_541), odd);
    v[6] = descaled(weighted(of, F_0_541, F_0_541 - F_1_848), odd);
    Odd out = odd_part(high[3], high[2], high[1], high[0]);
    v[7] = descaled(out.a, odd), v[5] = descaled(out.b, odd), v[3] = descaled(out.c, odd), v[1] = descaled(out.d, odd);
}

static inline void inverse(Block v, int bits) {
    Pairs middle = paired(v[0], v[4]), of = paired(v[2], v[6]);
    Wide a = plus(weighted(middle, 1 << BITS, 1 << BITS), 1 << (bits - 1));
    Wide b = plus(weighted(middle, 1 << BITS, -(1 << BITS)), 1 << (bits - 1));
    Wide c = weighted(of, F_0_541, F_0_541 - F_1_848), d = weighted(of, F_0_541 + F_0_765, F_0_541);
    Odd out = odd_part(v[7], v[5], v[3], v[1]);
    Wide even[4] = {sum(a, d), sum(b, c), difference(b, c), difference(a, d)}, odd[4] = {out.d, out.c, out.b, out.a};
    for (int k = 0; k < 4; k++) {
        v[k] = shifted(sum(even[k], odd[k]), bits);
        v[7 - k] = shifted(difference(even[k], odd[k]), bits);
    }
}

static inline void transpose_block(Block v) {
    // Each time the six bits of a number's place, three of its row and three of its column, move round by one.
    for (int turn = 0; turn < 3; turn++) {
        s8 from[8];
        for (int k = 0; k < 8; k++) from[k] = v[k];
        for (int k = 0; k < 4; k++) {
            Pairs of = paired(from[k], from[k + 4]);
            v[2 * k] = (s8)of.first, v[2 * k + 1] = (s8)of.last;
        }
    }
}

Steps steps_of(const float *table) {
    Steps out;
    // Numbers are below 9300, so what is no multiple of eight steps is more than a 9300th of itself below the next one.
    // A 32768th more cannot reach it, and no rounding of a quotient keeps it below a whole number that it reaches.
    for (int k = 0; k < 16; k++) out.share[k] = all(0.125f * (1 + 1.0f / 32768)) / four_at(table + 4 * k);
    for (int k = 0; k < 8; k++) {
        i4 first = truncated(four_at(table + 8 * k)), last = truncated(four_at(table + 8 * k + 4));
        out.step[k] = (s8)wasm_i16x8_narrow_i32x4((v128_t)first, (v128_t)last);
    }
    return out;
}

// The multiples of the steps nearest to an eighth of the numbers, and of two equally near ones the one farther from 0.
static inline s8 quantised(s8 numbers, s8 step, const f4 *share) {
    s8 sign = numbers >> 15;
    v128_t size = wasm_i16x8_add(wasm_i16x8_abs((v128_t)numbers), (v128_t)(step << 2));
    i4 first = truncated(floats((i4)wasm_u32x4_extend_low_u16x8(size)) * share[0]);
    i4 last = truncated(floats((i4)wasm_u32x4_extend_high_u16x8(size)) * share[1]);
    return (((s8)wasm_i16x8_narrow_i32x4((v128_t)first, (v128_t)last) * step) ^ sign) - sign;
}

void code_block(Block given, const Steps *steps) {
    Block v;
    for (int k = 0; k < 8; k++) v[k] = given[k];
    transpose_block(v);
    forward(v, -MORE, BITS - MORE);
    transpose_block(v);
    forward(v, MORE, BITS + MORE);
    for (int k = 0; k < 8; k++) v[k] = quantised(v[k], steps->step[k], steps->share + 2 * k);
    // A block of one colour, as many of colour differences are, is the same at every place.
    s8 waves = v[0] & (s8){0, -1, -1, -1, -1, -1, -1, -1};
    for (int k = 1; k < 8; k++) waves |= v[k];
    if (!wasm_v128_any_true((v128_t)waves)) {
        s8 level = eight((v[0][0] + 4) >> 3);
        for (int k = 0; k < 8; k++) given[k] = level;
        return;
    }
    inverse(v, BITS - MORE);
    transpose_block(v);
    inverse(v, BITS + MORE + 3);
    transpose_block(v);
    for (int k = 0; k < 8; k++) given[k] = v[k];
}
