// Draws the cloth of one mask of `world`: a template's blank cloth with as much of its rim and seam as the mask has,
// with wrinkles, dye and pleats. See `masks.world.design_atlas`.
//
// Numbers have 16 bits and stand for slopes in steps of 1 / FINE, and for shares in steps of 1 / 32768. Rows are done
// eight texels at a time; those of the result are long enough for the last eight.
#include "cloth.h"

#define CELLS 48             // rows and columns of a wrinkle
#define PADDED (CELLS + 2)   // with cells of 0 around them
#define FINE 16              // steps of a slope per level
#define DEPTH (1.0f / 4096)  // step of the depth of a wrinkle
#define AS_DYE 18079         // from 128 times a level of dye to its share of the textures' median value, in 1 / 16384
#define BRIGHTEST (255 << 6)

Wide widened(int columns, int stride, Coarse of, short *room) {
    int size = 2 * stride;
    Wide wide = {of, columns, (int *)room, room + size, {room + 2 * size, room + 3 * size}, {-1, -1}};
    for (int x = 0; x < stride; x++) {
        Between own = between(least_of(x, columns - 1), columns, of.columns);
        wide.first[x] = 2 * own.first;
        wide.later[2 * x] = wide.later[2 * x + 1] = steps(own.later);
    }
    return wide;
}

// The same for eight columns to each pair: all of them lie between the same two.
static void widen_row_by_eight(const Wide *wide, const short *from, short *to) {
    s8 first = (s8){1, 1, 3, 3, 5, 5, 7, 7} << 11, last = (s8){9, 9, 11, 11, 13, 13, 15, 15} << 11;
    s8 left = (s8)wasm_v128_load32_splat(from);
    put_eight(to, left);
    for (int pair = 1; pair < wide->of.columns; pair++) {
        s8 right = (s8)wasm_v128_load32_splat(from + 2 * pair);
        put_eight(to + 16 * pair - 8, mixed(left, right, first));
        put_eight(to + 16 * pair, mixed(left, right, last));
        left = right;
    }
    put_eight(to + 16 * wide->of.columns - 8, left);
}

void widen_row(const Wide *wide, const short *from, short *to) {
    if (wide->columns == APART * wide->of.columns) {
        widen_row_by_eight(wide, from, to);
        return;
    }
    for (int x = 0; x < wide->columns; x += 4) {
        const int *first = wide->first + x;
        v128_t a = wasm_v128_load64_lane(from + first[1], wasm_v128_load64_zero(from + first[0]), 1);
        v128_t b = wasm_v128_load64_lane(from + first[3], wasm_v128_load64_zero(from + first[2]), 1);
        s8 left = (s8)wasm_i32x4_shuffle(a, b, 0, 2, 4, 6), right = (s8)wasm_i32x4_shuffle(a, b, 1, 3, 5, 7);
        put_eight(to + 2 * x, mixed(left, right, eight_at(wide->later + 2 * x)));
    }
}

static const short *row_of(Wide *wide, int number) {
    int which = number & 1;
    if (wide->kept[which] != number)
        widen_row(wide, wide->of.pairs + 2 * wide->of.columns * number, wide->rows[which]);
    wide->kept[which] = number;
    return wide->rows[which];
}

// A row of the cloth from a coarse picture.
static void lay(Wide *wide, int y, int rows, short *to) {
    Between own = between(y, rows, wide->of.rows);
    const short *upper = row_of(wide, own.first), *lower = row_of(wide, own.next);
    for (int at = 0; at < 2 * wide->columns; at += 8)
        put_eight(to + at, mixed(eight_at(upper + at), eight_at(lower + at), eight(steps(own.later))));
}

// The sum of the wrinkles, slopes across and down, (PADDED, PADDED, 2). Beyond the last cell something may be read.
static float summed[(PADDED + 1) * PADDED * 2 + 2];
// The same as it lies on the cloth, with the crest.
static short wrinkled[CELLS * CELLS * 2 + 4];

static void sum_wrinkles(const Cloth *job) {
    for (int y = 0; y < CELLS; y++)
        for (int x = 0; x < 2 * CELLS; x += 16) {
            i4 sum[4] = {0};
            const signed char *from = job->bank + 2 * CELLS * y + x;
            for (int k = 0; k < PER_MASK; k += 2) {
                v128_t a = wasm_v128_load(from + 2 * CELLS * CELLS * job->which[k]);
                v128_t b = wasm_v128_load(from + 2 * CELLS * CELLS * job->which[k + 1]);
                v128_t first = wasm_i8x16_shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
                v128_t last = wasm_i8x16_shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
                v128_t deep = wasm_i32x4_splat(job->depths[k / 2]);
                sum[0] += (i4)wasm_i32x4_dot_i16x8(wasm_i16x8_extend_low_i8x16(first), deep);
                sum[1] += (i4)wasm_i32x4_dot_i16x8(wasm_i16x8_extend_high_i8x16(first), deep);
                sum[2] += (i4)wasm_i32x4_dot_i16x8(wasm_i16x8_extend_low_i8x16(last), deep);
                sum[3] += (i4)wasm_i32x4_dot_i16x8(wasm_i16x8_extend_high_i8x16(last), deep);
            }
            for (int k = 0; k < 4; k++)
                put_four(summed + 2 * (PADDED * (y + 1) + 1) + x + 4 * k, floats(sum[k]) * all(DEPTH));
        }
}

// Two cells of the wrinkles at places of the bank.
static inline f4 two_bent(i4 at, f4 later, f4 lower, int k) {
    const float *a = summed + at[k], *b = summed + at[k + 1];
    f4 one = four_at(a) + (four_at(a + 2 * PADDED) - four_at(a)) * all(lower[k]);
    f4 two = four_at(b) + (four_at(b + 2 * PADDED) - four_at(b)) * all(lower[k + 1]);
    f4 left = __builtin_shufflevector(one, two, 0, 1, 4, 5), right = __builtin_shufflevector(one, two, 2, 3, 6, 7);
    return left + (right - left) * (f4){later[k], later[k], later[k + 1], later[k + 1]};
}

static void bend_wrinkles(const Cloth *job) {
    const float *to = job->bent;
    for (int y = 0; y < CELLS; y++) {
        float crested = job->crested * job->crest[y];
        for (int x = 0; x < CELLS; x += 4) {
            f4 column = all(x) + (f4){0, 1, 2, 3}, row = all(y);
            f4 across = clamped(all(to[0]) * column + all(to[1]) * row + all(to[2]), -1, CELLS) + all(1);
            f4 down = clamped(all(to[3]) * column + all(to[4]) * row + all(to[5]), -1, CELLS) + all(1);
            i4 left = truncated(across), top = truncated(down);
            f4 later = across - floats(left), lower = down - floats(top);
            i4 at = (top * whole(PADDED) + left) << 1;
            f4 crest = four_at(job->crest + CELLS + x) * all(crested), none = all(0);
            f4 a = two_bent(at, later, lower, 0) + __builtin_shufflevector(crest, none, 0, 4, 1, 4);
            f4 b = two_bent(at, later, lower, 2) + __builtin_shufflevector(crest, none, 2, 4, 3, 4);
            i4 left_two = truncated(rounded(a)), right_two = truncated(rounded(b));
            v128_t slopes = wasm_i16x8_narrow_i32x4((v128_t)left_two, (v128_t)right_two);
            wasm_v128_store(wrinkled + 2 * (CELLS * y + x), slopes);
        }
    }
}

// Bytes mixed with as many others.
static inline void mix_bytes(u8 *to, const u8 *own, v128_t others, s8 share) {
    v128_t bytes = wasm_v128_load(own);
    s8 first = mixed(first_bytes(bytes) << 7, first_bytes(others) << 7, share) + eight(64);
    s8 last = mixed(last_bytes(bytes) << 7, last_bytes(others) << 7, share) + eight(64);
    wasm_v128_store(to, as_bytes(first >> 7, last >> 7));
}

// Texels of `each` bytes, the last one first.
static inline v128_t reversed(const u8 *from, int each) {
    v128_t v = wasm_v128_load(from);
    if (each == 4) return wasm_i32x4_shuffle(v, v, 3, 2, 1, 0);
    return wasm_i8x16_shuffle(v, v, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
}

// Mix a row of a picture with what lies inside of the hem, mirrored; what is written beyond the hem's left end is then
// written again.
static ALWAYS_INLINE void mix_rim(const Cloth *job, int y, int each, const u8 *picture, u8 *to) {
    int columns = job->columns, rim = job->rim_columns, right = columns - rim, low = job->rows - job->rim_rows;
    int row = y < job->rim_rows ? 2 * job->rim_rows - 1 - y : y >= low ? 2 * low - 1 - y : y, block = 16 / each;
    const u8 *own = picture + each * columns * y, *from = picture + each * columns * row;
    s8 share = eight(job->rimless);
    for (int x = 0; x < rim; x += block)
        mix_bytes(to + each * x, own + each * x, reversed(from + each * (2 * rim - x - block), each), share);
    if (row == y) wasm_v128_store(to + each * rim, wasm_v128_load(own + each * rim));
    for (int x = rim; row != y && x < right; x += block)
        mix_bytes(to + each * x, own + each * x, wasm_v128_load(from + each * x), share);
    for (int x = right; x < columns; x += block)
        mix_bytes(to + each * x, own + each * x, reversed(from + each * (2 * right - x - block), each), share);
}

static void draw_seam(const Cloth *job, const u8 *blank, u8 *row) {
    const short *seam = job->seam;
    for (int x = job->seam_from; x < job->seam_from + job->seam_columns; x++, seam += 8) {
        s8 sewn = product(eight_bytes(blank + 4 * x) << 6, eight_at(seam)) + (s8)wasm_v128_load64_zero(seam + 4);
        s8 drawn = eight_bytes(row + 4 * x) + ((sewn + eight(4)) >> 3);
        wasm_v128_store32_lane(row + 4 * x, as_bytes(drawn, drawn), 0);
    }
}

static void undyed(const Cloth *job, int y) {
    const u8 *blank = job->blank + 4 * job->columns * y, *down = job->blank_down + job->columns * y;
    u8 *row = job->drawn + 4 * job->stride * y, *row_down = job->drawn_down + job->stride * y;
    __builtin_memcpy(row, blank, 4 * job->columns);
    __builtin_memcpy(row_down, down, job->columns);
    if (job->rimless) {
        mix_rim(job, y, 4, job->blank, row);
        mix_rim(job, y, 1, job->blank_down, row_down);
    }
    draw_seam(job, blank, row);
}

// What wrinkles, folds and grain add to the slopes of four texels, in levels.
static inline s8 added(const u8 *folds, const u8 *grain, const short *wrinkles, s8 folded, s8 grained, s8 level) {
    s8 sum = product(eight_bytes(folds) << 6, folded) + product(eight_bytes(grain) << 6, grained);
    return (eight_at(wrinkles) + sum - level) >> 4;
}

// Add to the slopes across, the fourth bytes of four texels.
static inline void add_across(u8 *texels, s8 slopes) {
    u4 own = *(u4 *)texels;
    v128_t sum = (v128_t)((i4)(own >> 24) + (((i4)slopes << 16) >> 16));
    u4 across = (u4)wasm_i32x4_max(wasm_i32x4_min(sum, wasm_i32x4_splat(255)), wasm_i32x4_splat(0));
    wasm_v128_store(texels, (v128_t)((own & (u4)whole(0xffffff)) | (across << 24)));
}

static void add_slopes(const Cloth *job, int y, const short *wrinkles) {
    u8 *row = job->drawn + 4 * job->stride * y, *down = job->drawn_down + job->stride * y;
    const u8 *folds = job->folds + 2 * job->columns * y, *grain = job->grain + 2 * job->grain_columns * y;
    s8 folded = eight(job->folded), grained = eight(job->grained), ground = eight(128 << 6);
    s8 level = product(ground, folded) + product(ground, grained) - eight(FINE / 2);
    for (int x = 0; x < job->columns; x += 8) {
        s8 a = added(folds + 2 * x, grain + 2 * x, wrinkles + 2 * x, folded, grained, level);
        s8 b = added(folds + 2 * x + 8, grain + 2 * x + 8, wrinkles + 2 * x + 8, folded, grained, level);
        add_across(row + 4 * x, a);
        add_across(row + 4 * x + 16, b);
        s8 sum = eight_bytes(down + x) + (s8)wasm_i16x8_narrow_i32x4((v128_t)((i4)a >> 16), (v128_t)((i4)b >> 16));
        wasm_v128_store64_lane(down + x, as_bytes(sum, sum), 0);
    }
}

static void lay_dye(const Cloth *job, int y, u8 *row) {
    if (job->channels)
        sharpen_row(job, y, row);
    else if (y == 0 || job->boxes[0].bottom) // else all rows are the same
        fill(row, 0, job->columns, job->ground);
    for (int k = 0; k < 2; k++)
        if (y >= job->boxes[k].top && y < job->boxes[k].bottom)
            fill(row, job->boxes[k].left, job->boxes[k].right, job->second);
}

static inline s8 as_dye(s8 levels) { return product(levels << 7, eight(AS_DYE)); }

static inline s8 coloured(s8 undyed, s8 dye, s8 light) {
    s8 colour = (s8)wasm_i16x8_min((v128_t)product(undyed << 7, dye), wasm_i16x8_splat(BRIGHTEST));
    return (product(colour, light) + eight(16)) >> 5;
}

// The first number of two of four pairs, from pair k on, for each of the four bytes of two texels.
#define FIRST_OF(v, k) EACH_FOUR(v, 4 * k, 4 * k + 4)

// Dye four texels, where stains take this much of the light; `own` is null without parts that have their own dye.
static inline void dye_texels(u8 *texels, const u8 *dye, const u8 *own, int valve, const s8 *dark, s8 stain, s8 light) {
    v128_t undyed = wasm_v128_load(texels), levels = wasm_v128_load(dye);
    s8 first = as_dye(first_bytes(levels)), last = as_dye(last_bytes(levels));
    if (dark) {
        first -= product(first, product(FIRST_OF(*dark, 0), stain));
        last -= product(last, product(FIRST_OF(*dark, 2), stain));
    }
    if (own) {
        v128_t other = wasm_v128_load(own), there = (v128_t)((i4)other >> 24);
        other = wasm_u8x16_add_sat(other, (v128_t)(((i4)other >> 24 == whole(-2)) & whole(valve)));
        there = (v128_t)((i4)there != whole(0));
        first = choose8(wasm_i16x8_extend_low_i8x16(there), as_dye(first_bytes(other)), first);
        last = choose8(wasm_i16x8_extend_high_i8x16(there), as_dye(last_bytes(other)), last);
    }
    v128_t dyed = as_bytes(coloured(first_bytes(undyed), first, FIRST_OF(light, 0)),
                           coloured(last_bytes(undyed), last, FIRST_OF(light, 2)));
    wasm_v128_store(texels, wasm_v128_bitselect(undyed, dyed, wasm_u32x4_splat(0xff000000)));
}

// Add the pleats' rise to eight slopes down.
static inline void add_rise(const Cloth *job, u8 *down, s8 a, s8 b) {
    s8 slopes = (s8)wasm_i16x8_narrow_i32x4((v128_t)((i4)a >> 16), (v128_t)((i4)b >> 16)) - eight(128 << 7);
    s8 sum = eight_bytes(down) + ((product(slopes, eight(job->steep)) + eight(8)) >> 4);
    wasm_v128_store64_lane(down, as_bytes(sum, sum), 0);
}

// What the dye of a row is made from, and memory for it.
typedef struct {
    Wide dark;
    Pleats *pleats;
    short *darks, *shades;
    u8 *dye;
} Dye;

// Dye the texels of a row; in a loop of its own for each of the two flags.
static ALWAYS_INLINE void dye_by(const Cloth *job, const Dye *of, int y, int stained, int pleated) {
    u8 *row = job->drawn + 4 * job->stride * y;
    const u8 *own = job->own ? job->own + 4 * job->columns * y : 0;
    const int *taken = job->stain;
    s8 stain = {taken[0], taken[1], taken[2], 0, taken[0], taken[1], taken[2], 0};
    for (int x = 0; x < job->columns; x += 4) {
        s8 dark = stained ? eight_at(of->darks + 2 * x) : eight(0);
        s8 light = pleated ? eight_at(of->shades + 2 * x) : eight(16384);
        dye_texels(row + 4 * x, of->dye + 4 * x, own ? own + 4 * x : 0, job->valve, stained ? &dark : 0, stain, light);
    }
}

// Dye a row, and add pleats.
static void dye_row(const Cloth *job, Dye *of, int y) {
    lay_dye(job, y, of->dye);
    if (job->dark_columns) lay(&of->dark, y, job->rows, of->darks);
    if (job->panels) {
        fold_row(job, of->pleats, y);
        widen_row(&of->pleats->wide, of->pleats->row, of->shades);
    }
    if (job->dark_columns)
        job->panels ? dye_by(job, of, y, 1, 1) : dye_by(job, of, y, 1, 0);
    else
        job->panels ? dye_by(job, of, y, 0, 1) : dye_by(job, of, y, 0, 0);
    u8 *down = job->drawn_down + job->stride * y;
    for (int x = 0; job->panels && x < job->columns; x += 8)
        add_rise(job, down + x, eight_at(of->shades + 2 * x), eight_at(of->shades + 2 * x + 8));
}

static void draw_straps(const Cloth *job) {
    for (int y = 0; y < job->straps * job->strap_rows; y++) {
        int at = job->stride * (job->rows + y);
        fill(job->drawn + 4 * at, 0, job->columns, job->strap_colours[y / job->strap_rows]);
        __builtin_memset(job->drawn_down + at, 128, job->columns);
    }
}

#define STAINS 384 // most places
static short stains[2 * STAINS + 4];

// Whole numbers, each twice, of the stains.
static Coarse stains_of(const Cloth *job) {
    for (int at = 0; at < job->dark_rows * job->dark_columns; at += 4) {
        v128_t dark = (v128_t)truncated(clamped(four_at(job->dark + at), -32768, 32767));
        v128_t narrow = wasm_i16x8_narrow_i32x4(dark, dark);
        put_eight(stains + 2 * at, (s8)wasm_i16x8_shuffle(narrow, narrow, 0, 0, 1, 1, 2, 2, 3, 3));
    }
    return (Coarse){job->dark_rows, job->dark_columns, stains};
}

// A print lies on all of the relief.
EXPORT(draw_cloth) void draw_cloth(const Cloth *job) {
    sum_wrinkles(job);
    bend_wrinkles(job);
    Pleats pleats = job->panels ? pleats_of(job) : (Pleats){0};
    Dye dye = {{0}, &pleats, row_of_room(job, 2), row_of_room(job, 3), (u8 *)row_of_room(job, 0)};
    if (job->dark_columns) dye.dark = widened(job->columns, job->stride, stains_of(job), row_of_room(job, 12));
    Wide wide = widened(job->columns, job->stride, (Coarse){CELLS, CELLS, wrinkled}, row_of_room(job, 4));
    short *slopes = row_of_room(job, 1);
    for (int y = 0; y < job->rows; y++) {
        undyed(job, y);
        lay(&wide, y, job->rows, slopes);
        add_slopes(job, y, slopes);
        if (!job->channels) dye_row(job, &dye, y);
    }
    if (job->channels) {
        lay_print(job, &pleats);
        for (int y = 0; y < job->rows; y++) dye_row(job, &dye, y);
    }
    draw_straps(job);
}

EXPORT(size_of_cloth) int size_of_cloth(void) { return sizeof(Cloth); }
