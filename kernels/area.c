// Pictures made smaller by areas: each pixel is the mean of the part of the picture that lies under it, to the bit as
// OpenCV's INTER_AREA computes it. See `core.kernels.area`.
#include "vectors.h"

#define NEGLIGIBLE 1e-3 // share of a pixel that does not count

typedef struct {
    const u8 *from; // (rows, columns, 3)
    u8 *to;         // (tall, wide, 3)
    int rows, columns, tall, wide; // at least as many before as after
    int step;                      // bytes from a row of `to` to the next one
} Reduction;

// A pixel, or a row of them, in the mean of one that it lies under.
typedef struct { int at; float share; } Tap;

typedef struct {
    int count;
    const Reduction *each;
    Tap *taps; // memory for the taps of a row and of a pixel,
    f4 *lines; // and for two rows of the result and one of the picture
} Areas;

// The pixels before `end` under the pixel `at` of `few` that `many` become; returns how many.
static int find_taps(int many, int few, int at, Tap *taps) {
    double step = 1 / ((double)few / many), from = at * step, to = from + step;
    double size = step < many - from ? step : many - from;
    int first = (int)__builtin_ceil(from), last = least_of((int)__builtin_floor(to), many - 1), count = 0;
    first = least_of(first, last);
    if (first - from > NEGLIGIBLE) taps[count++] = (Tap){first - 1, (float)((first - from) / size)};
    for (int x = first; x < last; x++) taps[count++] = (Tap){x, (float)(1 / size)};
    double rest = to - last < 1 ? to - last : 1;
    if (to - last > NEGLIGIBLE) taps[count++] = (Tap){last, (float)((rest < size ? rest : size) / size)};
    return count;
}

#define COLOUR(v, at)                                                                                                  \
    floats((i4)wasm_i8x16_shuffle(v, wasm_i8x16_splat(0), at, 16, 16, 16, at + 1, 16, 16, 16, at + 2, 16, 16, 16, 16,  \
                                  16, 16, 16))
// The colours of a row of pixels as floats. Up to four pixels beyond it are read, and up to three written.
static void widen(const u8 *from, int count, f4 *to) {
    for (int x = 0; x < count; x += 4, from += 12, to += 4) {
        v128_t of = wasm_v128_load(from);
        to[0] = COLOUR(of, 0), to[1] = COLOUR(of, 3), to[2] = COLOUR(of, 6), to[3] = COLOUR(of, 9);
    }
}

// A row of the picture, reduced across, by so many taps for each pixel.
static ALWAYS_INLINE void reduce_by(const f4 *from, int wide, const Tap *tap, int most, f4 *line) {
    for (int x = 0; x < wide; x++, tap += most) {
        f4 sum = from[tap->at] * all(tap->share);
        for (int of = 1; of < most; of++) sum += from[tap[of].at] * all(tap[of].share);
        line[x] = sum;
    }
}

static void reduce_row(const f4 *from, int wide, const Tap *taps, int most, f4 *line) {
    if (most == 3) reduce_by(from, wide, taps, 3, line); // a number that is known takes half of the time
    else if (most == 4) reduce_by(from, wide, taps, 4, line);
    else reduce_by(from, wide, taps, most, line);
}

static inline v128_t rounded_bytes(f4 v) {
    v128_t of = (v128_t)truncated(rounded(v));
    return wasm_u8x16_narrow_i16x8(wasm_i16x8_narrow_i32x4(of, of), of);
}

static void put_row(const f4 *sums, int wide, u8 *to) {
    int x = 0;
    for (; x < wide - 1; x++, to += 3) wasm_v128_store32_lane(to, rounded_bytes(sums[x]), 0);
    v128_t last = rounded_bytes(sums[x]); // beside it may be another picture
    wasm_v128_store16_lane(to, last, 0), wasm_v128_store8_lane(to + 2, last, 2);
}

// The taps of all pixels of a row, `most` of each: those that are missing have no share.
static void find_all_taps(int many, int few, int most, Tap *taps) {
    for (int x = 0; x < few; x++, taps += most) {
        int count = find_taps(many, few, x, taps);
        for (int of = count; of < most; of++) taps[of] = (Tap){taps[0].at, 0};
    }
}

static void reduce_one(const Areas *job, const Reduction *of) {
    int most = of->columns / of->wide + 2, seen = -1;
    Tap *across = job->taps, *down = across + most * of->wide;
    find_all_taps(of->columns, of->wide, most, across);
    f4 *line = job->lines, *sums = line + of->wide, *row = sums + of->wide;
    for (int y = 0; y < of->tall; y++) {
        int count = find_taps(of->rows, of->tall, y, down);
        for (int at = 0; at < count; at++) {
            if (down[at].at != seen) { // the row between two pixels belongs to both
                seen = down[at].at;
                widen(of->from + 3 * seen * of->columns, of->columns, row);
                reduce_row(row, of->wide, across, most, line);
            }
            f4 share = all(down[at].share);
            if (at) for (int x = 0; x < of->wide; x++) sums[x] += line[x] * share;
            else for (int x = 0; x < of->wide; x++) sums[x] = line[x] * share;
        }
        put_row(sums, of->wide, of->to + y * of->step);
    }
}

EXPORT(reduce_areas) void reduce_areas(const Areas *job) {
    for (int at = 0; at < job->count; at++) reduce_one(job, job->each + at);
}

EXPORT(size_of_areas) int size_of_areas(void) { return sizeof(Areas); }
