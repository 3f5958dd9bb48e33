// Compresses a mask as its photograph was: see `masks.lighting.jpeg_blocks`.
//
// The photograph's blocks about the mask are sampled from the picture, coded and decoded; the change is sampled back.
#include "between.h"
#include "jpeg.h"
#include "pixels.h"

#define SIDE 16       // of the squares that are coded together: four blocks of luma, and one of each colour difference
#define NEAR 4        // pixels from a square within which a masked one needs it
#define UNCHANGED 128 // byte that encodes no change

typedef struct {
    int rows, columns;
    u8 *picture;        // red, green, blue; the result takes its place
    const u8 *coverage;
    int across, down;   // squares of the part of the photograph
    u8 *part;           // memory for 4 bytes of each of its pixels, with a row and column more before, and two behind,
    u8 *luma;           // for each of its pixels,
    u8 *blue, *red;     // for each of its colour differences, with a row and a column more on every side,
    u8 *worn;           // and for each square
    const float *steps; // (2, 64), of luma and of colour differences
    float to_picture[6], to_part[6]; // from the part's pixels to the picture's and back: x = 0, 1, 2; y = 3, 4, 5
} Jpeg;

static inline int part_stride(const Jpeg *job) { return 4 * (SIDE * job->across + 3); }
static inline int colour_stride(const Jpeg *job) { return SIDE / 2 * job->across + 2; }

static inline u8 *part_at(const Jpeg *job, int x, int y) {
    return job->part + (y + 1) * part_stride(job) + 4 * (x + 1);
}

static inline int colour_at(const Jpeg *job, int x, int y) { return (y + 1) * colour_stride(job) + x + 1; }

// Whether any pixel of the mask is near the square x, y; some to the right count as well.
static int is_worn(const Jpeg *job, int x, int y) {
    const float *to = job->to_picture;
    float left = 1e9f, right = -1e9f, top = 1e9f, bottom = -1e9f;
    for (int corner = 0; corner < 4; corner++) {
        float at_x = SIDE * x + (corner & 1 ? SIDE + NEAR : -NEAR);
        float at_y = SIDE * y + (corner & 2 ? SIDE + NEAR : -NEAR);
        float there_x = to[0] * at_x + to[1] * at_y + to[2], there_y = to[3] * at_x + to[4] * at_y + to[5];
        left = least(left, there_x), right = greatest(right, there_x);
        top = least(top, there_y), bottom = greatest(bottom, there_y);
    }
    int first = (int)greatest(left, 0), last = (int)least(right + 1, job->columns - 1);
    for (int row = (int)greatest(top, 0); row <= (int)least(bottom + 1, job->rows - 1); row++)
        for (int column = first; column <= last; column += 16)
            if (wasm_v128_any_true(wasm_v128_load(job->coverage + row * job->columns + column))) return 1;
    return 0;
}

// Where four pixels next to each other in a row of one picture lie in another one: the number of the pixel to the upper
// left of each, and how far from there.
typedef struct {
    i4 at;
    f4 right, down;
} Places;

// No place is above or to the left of `first`, or beyond a last column and row.
static inline Places places(const float *to, int x, int y, int first, int last_column, int last_row) {
    f4 column = floats(whole(x) + FIRST_FOUR);
    f4 there_x = clamped(all(to[0]) * column + all(to[1] * y + to[2]), first, last_column);
    f4 there_y = clamped(all(to[3]) * column + all(to[4] * y + to[5]), first, last_row);
    f4 left = floors(there_x), top = floors(there_y);
    i4 at = truncated(top) * whole(last_column + 1 - 2 * first) + truncated(left);
    return (Places){at, there_x - left, there_y - top};
}

// Two neighbours of 3 or 4 bytes: the first byte of both, the second of both, ...
static inline v128_t pairs_at(const u8 *pixels, int bytes) {
    v128_t two = wasm_v128_load(pixels);
    v128_t none = wasm_i32x4_splat(0);
    if (bytes == 3) return wasm_i8x16_shuffle(two, none, 0, 16, 3, 16, 1, 16, 4, 16, 2, 16, 5, 16, 16, 16, 16, 16);
    return wasm_i8x16_shuffle(two, none, 0, 16, 4, 16, 1, 16, 5, 16, 2, 16, 6, 16, 3, 16, 7, 16);
}

typedef struct { i4 red, green, blue; } Levels;

// The colours at four places in a picture whose pixels have so many bytes.
static inline Levels levels_at(const u8 *pixels, int bytes, int stride, Places of) {
    Weights weights = weights_of(of.right, of.down);
    i4 of_upper[4] = EACH_LANE(weights.upper), of_lower[4] = EACH_LANE(weights.lower);
    f4 pixel[4];
    for (int k = 0; k < 4; k++) {
        const u8 *upper = pixels + bytes * of.at[k];
        pixel[k] = (f4)mixed(pairs_at(upper, bytes), pairs_at(upper + stride, bytes), of_upper[k], of_lower[k]);
    }
    transpose(pixel);
    return (Levels){(i4)pixel[0], (i4)pixel[1], (i4)pixel[2]};
}

typedef struct { i4 luma, blue, red; } Parts;

// Of the two halves of each number.
static inline i4 dot(i4 halves, int by_lower, int by_upper) {
    return (i4)wasm_i32x4_dot_i16x8((v128_t)halves, (v128_t)whole(by_lower | by_upper << 16));
}

// Luma and colour differences of four pixels of the part, with the factors of libjpeg; their colours are kept in it.
static inline Parts sampled(const Jpeg *job, int x, int y) {
    Places of = places(job->to_picture, x, y, 0, job->columns - 1, job->rows - 1);
    Levels own = levels_at(job->picture, 3, 3 * job->columns, of);
    wasm_v128_store(part_at(job, x, y), (v128_t)(own.red | (own.green << 8) | (own.blue << 16)));
    i4 green_too = own.green << 16, half = whole(32768), grey = whole((128 << 16) + 32767);
    i4 with_red = own.red | green_too, with_blue = own.blue | green_too;
    return (Parts){(dot(with_red, 19595, 22086) + dot(with_blue, 7471, 16384) + half) >> 16,
                   ((own.blue << 15) - dot(with_red, 11059, 21709) + grey) >> 16,
                   ((own.red << 15) - dot(with_blue, 5329, 27439) + grey) >> 16};
}

static inline void put_block(Block block, u8 *to, int stride) {
    for (int k = 0; k < 8; k++) {
        v128_t eight = wasm_i16x8_narrow_i32x4((v128_t)(block[k][0] + whole(128)), (v128_t)(block[k][1] + whole(128)));
        wasm_v128_store64_lane(to + k * stride, wasm_u8x16_narrow_i16x8(eight, eight), 0);
    }
}

// The means of 2 x 2 numbers, less 128, of two rows whose sums are given for eight columns.
static inline i4 halved(i4 left, i4 right) {
    i4 sum = __builtin_shufflevector(left, right, 0, 2, 4, 6) + __builtin_shufflevector(left, right, 1, 3, 5, 7);
    return ((sum + (i4){1, 2, 1, 2}) >> 2) - whole(128);
}

static void code_square(const Jpeg *given, int square_x, int square_y) {
    const Jpeg own = *given, *job = &own; // which no pixel that is written can change
    Block luma[4], blue, red; // of luma upper left, upper right, ...
    for (int y = 0; y < SIDE; y += 2)
        for (int x = 0; x < SIDE; x += 8) {
            i4 of_blue[2], of_red[2];
            for (int k = 0; k < 2; k++) {
                int left = SIDE * square_x + x + 4 * k, top = SIDE * square_y + y;
                Parts upper = sampled(job, left, top), lower = sampled(job, left, top + 1);
                luma[y / 8 * 2 + x / 8][y % 8][k] = upper.luma - whole(128);
                luma[y / 8 * 2 + x / 8][y % 8 + 1][k] = lower.luma - whole(128);
                of_blue[k] = upper.blue + lower.blue, of_red[k] = upper.red + lower.red;
            }
            blue[y / 2][x / 8] = halved(of_blue[0], of_blue[1]);
            red[y / 2][x / 8] = halved(of_red[0], of_red[1]);
        }
    int stride = SIDE * job->across, at = colour_at(job, SIDE / 2 * square_x, SIDE / 2 * square_y);
    for (int k = 0; k < 4; k++) {
        code_block(luma[k], job->steps);
        put_block(luma[k], job->luma + (SIDE * square_y + k / 2 * 8) * stride + SIDE * square_x + k % 2 * 8, stride);
    }
    code_block(blue, job->steps + 64), code_block(red, job->steps + 64);
    put_block(blue, job->blue + at, colour_stride(job)), put_block(red, job->red + at, colour_stride(job));
}

// Repeat the first and the last row and column.
static void repeat_edge(const Jpeg *job, u8 *colours) {
    int stride = colour_stride(job), rows = SIDE / 2 * job->down + 2;
    for (int y = 1; y < rows - 1; y++) {
        u8 *row = colours + y * stride;
        row[0] = row[1], row[stride - 1] = row[stride - 2];
    }
    __builtin_memcpy(colours, colours + stride, stride);
    __builtin_memcpy(colours + (rows - 1) * stride, colours + (rows - 2) * stride, stride);
}

// Eight numbers of a row of colour differences, three times, and once those of the row that is next nearest.
static inline v128_t three_to_one(const u8 *near, const u8 *next) {
    v128_t sum = wasm_u16x8_load8x8(near);
    return wasm_i16x8_add(wasm_i16x8_add(wasm_i16x8_add(sum, sum), sum), wasm_u16x8_load8x8(next));
}

// Sixteen columns of row y of the part from eight of its colour differences, less 128.
static inline void doubled(const u8 *colours, int stride, int y, short *out) {
    const u8 *next = colours + (y & 1 ? stride : -stride);
    v128_t own = three_to_one(colours, next);
    v128_t left = three_to_one(colours - 1, next - 1), right = three_to_one(colours + 1, next + 1);
    own = wasm_i16x8_add(wasm_i16x8_add(own, own), own);
    v128_t grey = wasm_i16x8_splat(128);
    left = wasm_i16x8_sub(wasm_u16x8_shr(wasm_i16x8_add(wasm_i16x8_add(own, left), wasm_i16x8_splat(8)), 4), grey);
    right = wasm_i16x8_sub(wasm_u16x8_shr(wasm_i16x8_add(wasm_i16x8_add(own, right), wasm_i16x8_splat(7)), 4), grey);
    wasm_v128_store(out, wasm_i16x8_shuffle(left, right, 0, 8, 1, 9, 2, 10, 3, 11));
    wasm_v128_store(out + 8, wasm_i16x8_shuffle(left, right, 4, 12, 5, 13, 6, 14, 7, 15));
}

static inline i4 limited(i4 v) {
    return (i4)wasm_i32x4_max(wasm_i32x4_min((v128_t)v, wasm_i32x4_splat(255)), wasm_i32x4_splat(0));
}

// In place of a square's colours the change that coding makes, as bytes.
static void find_change(const Jpeg *given, int square_x, int square_y) {
    const Jpeg own = *given, *job = &own; // which no pixel that is written can change
    short of_blue[SIDE], of_red[SIDE];
    int stride = colour_stride(job), left = SIDE * square_x;
    for (int y = SIDE * square_y; y < SIDE * (square_y + 1); y++) {
        int at = colour_at(job, left / 2, y / 2);
        doubled(job->blue + at, stride, y, of_blue), doubled(job->red + at, stride, y, of_red);
        for (int x = 0; x < SIDE; x += 4) {
            i4 luma = (i4)wasm_u32x4_extend_low_u16x8(
                wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(job->luma + y * SIDE * job->across + left + x)));
            i4 blue = (i4)wasm_i32x4_load16x4(of_blue + x), red = (i4)wasm_i32x4_load16x4(of_red + x);
            i4 half = whole(32768), low = whole(255), *part = (i4 *)part_at(job, left + x, y);
            i4 coded_red = limited(luma + ((red * whole(91881) + half) >> 16));
            i4 coded_green = limited(luma + ((half - blue * whole(22554) - red * whole(46802)) >> 16));
            i4 coded_blue = limited(luma + ((blue * whole(116130) + half) >> 16));
            i4 before = (i4)wasm_v128_load(part), grey = whole(UNCHANGED);
            i4 change = limited(coded_red - (before & low) + grey);
            change |= limited(coded_green - ((before >> 8) & low) + grey) << 8;
            wasm_v128_store(part, (v128_t)(change | (limited(coded_blue - (before >> 16) + grey) << 16)));
        }
    }
}

// Add to four pixels of the picture, as far as they are covered, the change where they lie in the part; it is UNCHANGED
// beyond.
static inline void change_four(const Jpeg *job, int x, int y, f4 cover) {
    Places of = places(job->to_part, x, y, -1, SIDE * job->across, SIDE * job->down);
    Levels change = levels_at(part_at(job, 0, 0), 4, part_stride(job), of);
    u8 *pixels = job->picture + 3 * (y * job->columns + x);
    Colours own = colours_at(pixels);
    i4 grey = whole(UNCHANGED);
    f4 share = cover * all(1.0f / 255);
    own.red += rounded(floats(change.red - grey) * share);
    own.green += rounded(floats(change.green - grey) * share);
    own.blue += rounded(floats(change.blue - grey) * share);
    put_colours(pixels, own);
}

static void change_row(const Jpeg *given, int y) {
    const Jpeg own = *given, *job = &own; // which no pixel that is written can change
    for (int x = 0; x < job->columns; x += 4) {
        v128_t four = wasm_v128_load32_zero(job->coverage + y * job->columns + x);
        if (!wasm_v128_any_true(four)) continue;
        i4 cover = (i4)wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(four));
        change_four(job, x, y, floats(cover & (whole(x) + FIRST_FOUR < whole(job->columns))));
    }
}

EXPORT(jpeg_blocks) void jpeg_blocks(const Jpeg *job) {
    int squares = job->across * job->down;
    __builtin_memset(job->part, UNCHANGED, (SIDE * job->down + 3) * part_stride(job));
    for (int at = 0; at < squares; at++) {
        job->worn[at] = is_worn(job, at % job->across, at / job->across);
        if (job->worn[at]) code_square(job, at % job->across, at / job->across);
    }
    repeat_edge(job, job->blue), repeat_edge(job, job->red);
    for (int at = 0; at < squares; at++)
        if (job->worn[at]) find_change(job, at % job->across, at / job->across);
    for (int y = 0; y < job->rows; y++) change_row(job, y);
}

EXPORT(size_of_jpeg_blocks) int size_of_jpeg_blocks(void) { return sizeof(Jpeg); }
