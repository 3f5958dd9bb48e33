// The cosine transform of JPEG in whole numbers, bit for bit that of libjpeg (Loeffler, Ligtenberg and Moschytz 1989).
#include "jpeg.h"

#define BITS 13 // after the point, of the constants
#define MORE 2  // bits that are kept between the two passes

// 2 ** 13 times the constants of the paper.
enum {
    F_0_299 = 2446, F_0_390 = 3196, F_0_541 = 4433, F_0_765 = 6270, F_0_900 = 7373, F_1_176 = 9633,
    F_1_501 = 12299, F_1_848 = 15137, F_1_962 = 16069, F_2_053 = 16819, F_2_563 = 20995, F_3_073 = 25172,
};

static inline i4 times(i4 a, int by) { return a * whole(by); }
static inline i4 descaled(i4 a, int bits) { return (a + whole(1 << (bits - 1))) >> bits; }

// Four numbers with odd places: the same products, in and out, serve both directions.
typedef struct { i4 a, b, c, d; } Odd;

static inline Odd odd_part(Odd in) {
    i4 z1 = times(in.a + in.d, -F_0_900), z2 = times(in.b + in.c, -F_2_563);
    i4 z3 = in.a + in.c, z4 = in.b + in.d, z5 = times(z3 + z4, F_1_176);
    z3 = times(z3, -F_1_962) + z5, z4 = times(z4, -F_0_390) + z5;
    return (Odd){times(in.a, F_0_299) + z1 + z3, times(in.b, F_2_053) + z2 + z4, times(in.c, F_3_073) + z2 + z3,
                 times(in.d, F_1_501) + z1 + z4};
}

// Down four columns at once; `even` and `odd` are the bits to descale by, even < 0 to multiply.
static inline void forward(Block block, int half, int even, int odd) {
    i4 v[8], low[4], high[4];
    for (int k = 0; k < 8; k++) v[k] = block[k][half];
    for (int k = 0; k < 4; k++) low[k] = v[k] + v[7 - k], high[k] = v[k] - v[7 - k];
    i4 outer = low[0] + low[3], inner = low[1] + low[2], b = low[0] - low[3], a = low[1] - low[2];
    i4 z = times(a + b, F_0_541);
    block[0][half] = even < 0 ? (outer + inner) << -even : descaled(outer + inner, even);
    block[4][half] = even < 0 ? (outer - inner) << -even : descaled(outer - inner, even);
    block[2][half] = descaled(z + times(b, F_0_765), odd);
    block[6][half] = descaled(z - times(a, F_1_848), odd);
    Odd out = odd_part((Odd){high[3], high[2], high[1], high[0]});
    block[7][half] = descaled(out.a, odd), block[5][half] = descaled(out.b, odd);
    block[3][half] = descaled(out.c, odd), block[1][half] = descaled(out.d, odd);
}

static inline void inverse(Block block, int half, int bits) {
    i4 v[8];
    for (int k = 0; k < 8; k++) v[k] = block[k][half];
    i4 z = times(v[2] + v[6], F_0_541), c = z - times(v[6], F_1_848), d = z + times(v[2], F_0_765);
    i4 a = (v[0] + v[4]) << BITS, b = (v[0] - v[4]) << BITS;
    i4 even[4] = {a + d, b + c, b - c, a - d};
    Odd out = odd_part((Odd){v[7], v[5], v[3], v[1]});
    i4 odd[4] = {out.d, out.c, out.b, out.a};
    for (int k = 0; k < 4; k++) {
        block[k][half] = descaled(even[k] + odd[k], bits);
        block[7 - k][half] = descaled(even[k] - odd[k], bits);
    }
}

static inline void transpose_block(Block block) {
    f4 part[4][4];
    for (int k = 0; k < 4; k++) {
        part[0][k] = (f4)block[k][0], part[1][k] = (f4)block[k][1];
        part[2][k] = (f4)block[k + 4][0], part[3][k] = (f4)block[k + 4][1];
    }
    for (int k = 0; k < 4; k++) transpose(part[k]);
    for (int k = 0; k < 4; k++) {
        block[k][0] = (i4)part[0][k], block[k][1] = (i4)part[2][k];
        block[k + 4][0] = (i4)part[1][k], block[k + 4][1] = (i4)part[3][k];
    }
}

// The multiple of `step` nearest to an eighth of a number, and of two equally near ones the one farther from 0.
static inline i4 quantised(i4 number, f4 step) {
    i4 sign = number >> 31, size = (number ^ sign) - sign;
    // By a half more, no rounding of the quotient can reach the next whole number, and none is missed.
    f4 count = floats(truncated((floats(size) + step * all(4) + all(0.5f)) * (all(0.125f) / step)));
    return (truncated(count * step) ^ sign) - sign;
}

void code_block(Block block, const float *steps) {
    transpose_block(block);
    for (int half = 0; half < 2; half++) forward(block, half, -MORE, BITS - MORE);
    transpose_block(block);
    for (int half = 0; half < 2; half++) forward(block, half, MORE, BITS + MORE);
    for (int k = 0; k < 16; k++) block[k / 2][k % 2] = quantised(block[k / 2][k % 2], four_at(steps + 4 * k));
    for (int half = 0; half < 2; half++) inverse(block, half, BITS - MORE);
    transpose_block(block);
    for (int half = 0; half < 2; half++) inverse(block, half, BITS + MORE + 3);
    transpose_block(block);
}
