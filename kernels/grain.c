// What blur and noise of a photograph are told from: how steep its edges are, before and after a blur, and how strongly
// luma and colour answer to a Laplacian. See `masks.lighting.blur_and_noise`.
#include "ranks.h"
#include "vectors.h"

#define EIGHT 8
#define SIXTEEN 16
#define LANES 2
#define STRONGEST 256 // answers to the Laplacian that are told apart
#define STEEPEST 2041 // sums of two gradients

typedef struct {
    int rows, columns;    // at least 3
    const u8 *picture;    // (rows, columns, 3)
    const u8 *grey, *soft; // (rows, columns), its luma, before and after a blur
    u8 *tint;             // memory for (rows, columns),
    short *lines;         // and for two lines with EIGHT numbers before and after each
    int steep, middle;    // places of the steep edges and of the noise among the sorted values
    int *found;           // steepness before and after the blur, answers of luma and of colour
} Grain;

// Half of red minus blue, about 128, rounded to even numbers. Bytes beyond the picture are read and written.
static void find_tint(const Grain *job) {
    for (int at = 0; at < job->rows * job->columns; at += SIXTEEN) {
        const u8 *pixel = job->picture + 3 * at;
        v128_t a = wasm_v128_load(pixel), b = wasm_v128_load(pixel + 16), c = wasm_v128_load(pixel + 32);
        v128_t red = wasm_i8x16_shuffle(a, b, 0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 0, 0, 0, 0, 0);
        red = wasm_i8x16_shuffle(red, c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 17, 20, 23, 26, 29);
        v128_t blue = wasm_i8x16_shuffle(a, b, 2, 5, 8, 11, 14, 17, 20, 23, 26, 29, 0, 0, 0, 0, 0, 0);
        blue = wasm_i8x16_shuffle(blue, c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 19, 22, 25, 28, 31);
        v128_t half = wasm_u8x16_avgr(red, wasm_v128_not(blue)); // rounded up
        v128_t odd = wasm_v128_and(wasm_v128_and(wasm_v128_xor(red, blue), half), wasm_i8x16_splat(1));
        wasm_v128_store(job->tint + at, wasm_u8x16_add_sat(half, odd));
    }
}

// Counts eight numbers, or the first `count`, each lane by itself in one of `LANES`, so that none waits for another.
#define COUNT(counts, v, count)                                                                                        \
    do {                                                                                                               \
        s8 of = v;                                                                                                     \
        if (count >= EIGHT) {                                                                                          \
            for (int at = 0; at < EIGHT; at++) counts[at % LANES][of[at]]++;                                           \
        } else {                                                                                                       \
            for (int at = 0; at < count; at++) counts[0][of[at]]++;                                                    \
        }                                                                                                              \
    } while (0)

// The sum of the gradients across and down at each pixel, by Sobel's filter; beyond the edge the picture is mirrored.
static int steepness(const Grain *job, const u8 *grey) {
    int counts[LANES][STEEPEST] = {0}, width = job->columns;
    short *sums = job->lines + EIGHT, *steps = sums + width + 2 * EIGHT;
    for (int y = 0; y < job->rows; y++) {
        const u8 *here = grey + y * width;
        const u8 *above = here + (y ? -width : width), *below = here + (y < job->rows - 1 ? width : -width);
        for (int x = 0; x < width; x += EIGHT) {
            s8 a = eight_bytes(above + x), b = eight_bytes(below + x);
            put_eight(sums + x, a + b + eight_bytes(here + x) * eight(2));
            put_eight(steps + x, b - a);
        }
        sums[-1] = sums[1], sums[width] = sums[width - 2];
        steps[-1] = steps[1], steps[width] = steps[width - 2];
        for (int x = 0; x < width; x += EIGHT) {
            s8 across = eight_at(sums + x + 1) - eight_at(sums + x - 1);
            s8 down = eight_at(steps + x - 1) + eight_at(steps + x + 1) + eight_at(steps + x) * eight(2);
            COUNT(counts, (s8)wasm_i16x8_abs((v128_t)across) + (s8)wasm_i16x8_abs((v128_t)down), width - x);
        }
    }
    for (int level = 0; level < STEEPEST; level++) counts[0][level] += counts[1][level];
    return ranked_count(counts[0], STEEPEST, job->steep);
}

// The strength of the Laplacian's answer, at most 255, at the pixels that have neighbours on all sides.
static int answer(const Grain *job, const u8 *plane) {
    int counts[LANES][STRONGEST] = {0}, width = job->columns;
    short *bends = job->lines + EIGHT;
    for (int y = 1; y < job->rows - 1; y++) {
        const u8 *here = plane + y * width;
        for (int x = 0; x < width; x += EIGHT) {
            s8 beside = eight_bytes(here + x - width) + eight_bytes(here + x + width);
            put_eight(bends + x, beside - eight_bytes(here + x) * eight(2));
        }
        for (int x = 1; x < width - 1; x += EIGHT) {
            s8 bent = eight_at(bends + x - 1) + eight_at(bends + x + 1) - eight_at(bends + x) * eight(2);
            COUNT(counts, (s8)wasm_i16x8_min(wasm_i16x8_abs((v128_t)bent), (v128_t)eight(STRONGEST - 1)), width - 1 - x);
        }
    }
    for (int level = 0; level < STRONGEST; level++) counts[0][level] += counts[1][level];
    return ranked_count(counts[0], STRONGEST, job->middle);
}

EXPORT(measure_grain) void measure_grain(const Grain *job) {
    find_tint(job);
    job->found[0] = steepness(job, job->grey), job->found[1] = steepness(job, job->soft);
    job->found[2] = answer(job, job->grey), job->found[3] = answer(job, job->tint);
}

EXPORT(size_of_grain) int size_of_grain(void) { return sizeof(Grain); }
