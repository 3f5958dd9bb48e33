// What the exposure of a photograph is told from: how many of its pixels are clipped or dark, quantiles of its luma, and
// the colour of its highlights. See `masks.lighting.exposure`.
#include "ranks.h"
#include "vectors.h"

#define FOUR 4
#define FINE 13    // bits of a whole luma below those of its level,
#define LEVELS 320 // one of so many
enum { HIGHLIGHTS, LOWEST, BRIGHT, PLACES };

typedef struct {
    double luma[3]; // of red, green and blue
    double darkest; // luma of a dark pixel, at most
    double *found;  // see `measure_exposure`
    const u8 *pixels;
    int rows, columns, row, column; // samples, and the bytes from one to the next, down and across
    int whole[3], dark;             // `luma` and `darkest` times some number, as whole numbers
    int clipped;                    // level from which a pixel's colour is lost
    int places[PLACES];             // of the quantiles among the sorted values of luma
    int *values;                    // memory for the whole luma of each sample,
    double *some;                   // and for its luma
} Exposure;

RANKED(ranked, double)

typedef unsigned word __attribute__((aligned(1)));
typedef i4 i4_anywhere __attribute__((aligned(4)));
static inline i4 four_of(const int *at) { return *(const i4_anywhere *)at; }
static inline void put_whole(int *at, i4 v) { *(i4_anywhere *)at = v; }
static inline int sum(i4 v) { return v[0] + v[1] + v[2] + v[3]; }
// The sums of the products of two pairs of numbers of 16 bits.
static inline i4 dot(u4 a, s8 b) { return (i4)wasm_i32x4_dot_i16x8((v128_t)a, (v128_t)b); }

// Of pixels with the same whole luma, whose luma differs by rounding, too.
static inline double luma_of(const Exposure *job, const u8 *pixel) {
    return job->luma[0] * pixel[0] + job->luma[1] * pixel[1] + job->luma[2] * pixel[2];
}

// The luma at a place among the sorted values.
static double quantile(const Exposure *job, const int *counts, int rank) {
    int level = ranked_count(counts, LEVELS, rank), count = 0;
    for (int below = 0; below < level; below++) rank -= counts[below];
    const int *value = job->values;
    for (int y = 0; y < job->rows; y++, value += job->columns) {
        const u8 *pixel = job->pixels + y * job->row;
        for (int x = 0; x < job->columns; x += FOUR) {
            if (!any(four_of(value + x) >> FINE == whole(level))) continue; // as nearly all
            for (int at = x; at < least_of(x + FOUR, job->columns); at++)
                if (value[at] >> FINE == level) job->some[count++] = luma_of(job, pixel + at * job->column);
        }
    }
    return ranked(job->some, count, rank);
}

// The number of pixels with a luma of `least` or more that are not clipped, and the sums of their colours.
static void add_up(const Exposure *job, double least, double *sums) {
    int from = (int)(least * job->dark / job->darkest) - 1; // one less: it is rounded
    const int *value = job->values;
    for (int y = 0; y < job->rows; y++, value += job->columns) {
        for (int x = 0; x < job->columns; x += FOUR) {
            if (!any(four_of(value + x) >= whole(from))) continue;
            for (int at = x; at < least_of(x + FOUR, job->columns); at++) {
                const u8 *pixel = job->pixels + y * job->row + at * job->column;
                if (luma_of(job, pixel) < least) continue;
                if (greatest_of(greatest_of(pixel[0], pixel[1]), pixel[2]) >= job->clipped) continue;
                sums[0]++;
                for (int of = 0; of < 3; of++) sums[1 + of] += pixel[of];
            }
        }
    }
}

typedef struct {
    int counts[FOUR][LEVELS]; // of whole luma, of each lane by itself, so that none waits for another
    i4 full, dark;
} Counted;

// Counts four samples, or the first `count`, and writes their whole luma.
static ALWAYS_INLINE void count_four(const Exposure *job, const u8 *pixel, int count, Counted *counted, int *value) {
    u4 of = {0};
    for (int at = 0; at < count; at++) of[at] = *(const word *)(pixel + at * job->column) & 0xffffff; // 0x00bbggrr
    i4 luma = dot(of & 0xff00ff, (s8)whole(job->whole[0] | job->whole[2] << 16));
    luma += dot(of >> 8 & 0xff, (s8)whole(job->whole[1]));
    put_whole(value, luma);
    i4 there = FIRST_FOUR < whole(count), as_dark = there & (luma == whole(job->dark));
    counted->full -= (i4)wasm_i8x16_eq((v128_t)of, wasm_i8x16_splat(-1)) != whole(0);
    counted->dark -= there & (luma < whole(job->dark));
    if (any(as_dark))
        for (int at = 0; at < count; at++)
            counted->dark[0] += as_dark[at] && luma_of(job, pixel + at * job->column) <= job->darkest;
    i4 levels = luma >> FINE;
    for (int at = 0; at < count; at++) counted->counts[at][levels[at]]++;
}

// Finds, in this order: pixels with a colour at 255; dark pixels; luma of the highlights; the lowest and the brightest
// luma, 0 if there are many dark pixels; how many highlights are not clipped, and the sums of their three colours.
EXPORT(measure_exposure) void measure_exposure(const Exposure *job) {
    Counted counted = {0};
    int *value = job->values, *counts = counted.counts[0];
    for (int y = 0; y < job->rows; y++, value += job->columns) {
        const u8 *pixel = job->pixels + y * job->row;
        int x = 0;
        for (; x + FOUR <= job->columns; x += FOUR)
            count_four(job, pixel + x * job->column, FOUR, &counted, value + x);
        if (x < job->columns) count_four(job, pixel + x * job->column, job->columns - x, &counted, value + x);
    }
    for (int level = 0; level < LEVELS; level++)
        for (int lane = 1; lane < FOUR; lane++) counts[level] += counted.counts[lane][level];
    double *found = job->found;
    int dark = sum(counted.dark);
    for (int at = 0; at < 9; at++) found[at] = 0;
    found[0] = sum(counted.full), found[1] = dark;
    found[2] = quantile(job, counts, job->places[HIGHLIGHTS]);
    if (dark <= job->places[LOWEST])
        for (int at = LOWEST; at <= BRIGHT; at++) found[2 + at] = quantile(job, counts, job->places[at]);
    add_up(job, found[2], found + 5);
}

EXPORT(size_of_exposure) int size_of_exposure(void) { return sizeof(Exposure); }
