// Compresses a mask as its photograph was: see `masks.lighting.jpeg_blocks`.
//
// The photograph's blocks about the mask are sampled from the picture, coded and decoded; the change is sampled back.
#include "between.h"
#include "jpeg.h"

#define SIDE 16       // of the squares that are coded together: four blocks of luma, and one of each colour difference
// Pixels from a square's first and last one within which a place under the mask needs its change, and its colour
// differences: a place is between pixels less than 1 away, which have a part of the difference 1 pixel farther.
// Roundings are far below the quarter.
#define NEAR 1.25f
#define NEAR_COLOUR 2.25f
#define AT_ONCE 32    // times four pixels of a row that are changed together
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

// Whether any pixel of the mask is so near to the square x, y; some to the right count as well.
static int is_worn(const Jpeg *job, int x, int y, float near) {
    const float *to = job->to_picture;
    float left = 1e9f, right = -1e9f, top = 1e9f, bottom = -1e9f;
    for (int corner = 0; corner < 4; corner++) {
        float at_x = SIDE * x + (corner & 1 ? SIDE - 1 + near : -near);
        float at_y = SIDE * y + (corner & 2 ? SIDE - 1 + near : -near);
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

// Where four pixels next to each other in a row of one picture lie in another one: the offset of the pixel to the upper
// left of each, and the weights of it and its neighbours.
typedef struct {
    int at[4];
    Weights by;
} Places;

// What the columns of four pixels, or their row, contribute to where they lie.
typedef struct { f4 x, y; } Spots;

static inline Spots spots_of_row(const float *to, int y) {
    return (Spots){all(to[1] * y + to[2]), all(to[4] * y + to[5])};
}

static inline Spots spots_of_columns(const float *to, int x) {
    f4 column = floats(whole(x) + FIRST_FOUR);
    return (Spots){all(to[0]) * column, all(to[3]) * column};
}

// In a picture whose pixels have so many bytes; none above or to the left of `first`, or beyond a last column and row.
static inline Places places(Spots columns, Spots row, int bytes, int first, int last_column, int last_row) {
    f4 there_x = clamped(columns.x + row.x, first, last_column), there_y = clamped(columns.y + row.y, first, last_row);
    f4 left = floors(there_x), top = floors(there_y);
    i4 at = truncated(top) * whole(bytes * (last_column + 1 - 2 * first)) + truncated(left) * whole(bytes);
    Places of = {.by = weights_of(there_x - left, there_y - top)};
    wasm_v128_store(of.at, (v128_t)at);
    return of;
}

// Two neighbours of 3 or 4 bytes at each of two places: of all, left and right, the first and the second byte; then the
// third and any other.
static inline v128_t neighbours(const u8 *first, const u8 *second, int bytes) {
    v128_t two = wasm_i64x2_shuffle(wasm_v128_load(first), wasm_v128_load(second), 0, 2);
    if (bytes == 3) return wasm_i8x16_shuffle(two, two, 0, 1, 3, 4, 8, 9, 11, 12, 2, 2, 5, 5, 10, 10, 13, 13);
    return wasm_i8x16_shuffle(two, two, 0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
}

typedef struct { v128_t red, green, blue; } Bytes; // as 16 bits, left and right of four places

static inline Bytes four_neighbours(const u8 *pixels, const int *at, int bytes) {
    v128_t first = neighbours(pixels + at[0], pixels + at[1], bytes);
    v128_t last = neighbours(pixels + at[2], pixels + at[3], bytes);
    v128_t red_green = wasm_i64x2_shuffle(first, last, 0, 2), low = wasm_i16x8_splat(255);
    return (Bytes){wasm_v128_and(red_green, low), wasm_u16x8_shr(red_green, 8),
                   wasm_v128_and(wasm_i64x2_shuffle(first, last, 1, 3), low)};
}

typedef struct { i4 red, green, blue; } Levels;

// The colours at four places in a picture whose pixels have so many bytes.
static inline Levels levels_at(const u8 *pixels, int bytes, int stride, const Places *of) {
    Bytes upper = four_neighbours(pixels, of->at, bytes), lower = four_neighbours(pixels + stride, of->at, bytes);
    return (Levels){mixed(upper.red, lower.red, of->by.upper, of->by.lower),
                    mixed(upper.green, lower.green, of->by.upper, of->by.lower),
                    mixed(upper.blue, lower.blue, of->by.upper, of->by.lower)};
}

static inline s8 narrowed(i4 first, i4 last) { return (s8)wasm_i16x8_narrow_i32x4((v128_t)first, (v128_t)last); }

// Of the two halves of each number.
static inline i4 dot(v128_t halves, int by_lower, int by_upper) {
    return (i4)wasm_i32x4_dot_i16x8(halves, (v128_t)whole(by_lower | by_upper << 16));
}

typedef struct { i4 luma, blue, red; } Four;

// Luma and colour differences of four pixels of the part, with the factors of libjpeg; their colours are kept in it.
static inline Four four_sampled(const Jpeg *job, const Places *of, u8 *part) {
    Levels own = levels_at(job->picture, 3, 3 * job->columns, of);
    wasm_v128_store(part, (v128_t)(own.red | (own.green << 8) | (own.blue << 16)));
    i4 green_too = own.green << 16, half = whole(32768), grey = whole((128 << 16) + 32767);
    v128_t with_red = (v128_t)(own.red | green_too), with_blue = (v128_t)(own.blue | green_too);
    return (Four){(dot(with_red, 19595, 22086) + dot(with_blue, 7471, 16384) + half) >> 16,
                  ((own.blue << 15) - dot(with_red, 11059, 21709) + grey) >> 16,
                  ((own.red << 15) - dot(with_blue, 5329, 27439) + grey) >> 16};
}

typedef struct { s8 luma, blue, red; } Parts; // of eight pixels

static inline Parts sampled(const Jpeg *job, const Places of[2], u8 *part) {
    Four first = four_sampled(job, &of[0], part), last = four_sampled(job, &of[1], part + 16);
    return (Parts){narrowed(first.luma, last.luma), narrowed(first.blue, last.blue), narrowed(first.red, last.red)};
}

static inline void put_block(Block block, u8 *to, int stride) {
    for (int k = 0; k < 8; k += 2) {
        v128_t two = as_bytes(block[k] + eight(128), block[k + 1] + eight(128));
        wasm_v128_store64_lane(to + k * stride, two, 0), wasm_v128_store64_lane(to + (k + 1) * stride, two, 1);
    }
}

// The means of 2 x 2 numbers, less 128, of two rows whose sums are given for eight columns.
static inline i4 halved(s8 sums) {
    return (((i4)wasm_i32x4_extadd_pairwise_i16x8((v128_t)sums) + (i4){1, 2, 1, 2}) >> 2) - whole(128);
}

// Where the pixels of a square lie in the picture.
static inline void find_places(const Jpeg *job, int square_x, int square_y, Places of[SIDE][SIDE / 4]) {
    Spots columns[SIDE / 4];
    for (int k = 0; k < SIDE / 4; k++) columns[k] = spots_of_columns(job->to_picture, SIDE * square_x + 4 * k);
    for (int y = 0; y < SIDE; y++) {
        Spots row = spots_of_row(job->to_picture, SIDE * square_y + y);
        for (int k = 0; k < SIDE / 4; k++) of[y][k] = places(columns[k], row, 3, 0, job->columns - 1, job->rows - 1);
    }
}

// Colour differences of a square, and luma if `changed`, as coding leaves them.
static void code_square(const Jpeg *given, const Steps steps[2], int square_x, int square_y, int changed) {
    const Jpeg own = *given, *job = &own; // which no pixel that is written can change
    Block luma[4], blue, red; // of luma upper left, upper right, ...
    // All places come before the colours there. A processor has some hundred instructions in progress: one place and
    // its colours one after the other are nearly as many, each waiting for the one before.
    Places of[SIDE][SIDE / 4];
    find_places(job, square_x, square_y, of);
    u8 *part = part_at(job, SIDE * square_x, SIDE * square_y);
    for (int y = 0; y < SIDE; y += 2, part += 2 * part_stride(job)) {
        i4 of_blue[2], of_red[2];
        for (int k = 0; k < 2; k++) {
            Parts upper = sampled(job, of[y] + 2 * k, part + 32 * k);
            Parts lower = sampled(job, of[y + 1] + 2 * k, part + 32 * k + part_stride(job));
            luma[y / 8 * 2 + k][y % 8] = upper.luma - eight(128);
            luma[y / 8 * 2 + k][y % 8 + 1] = lower.luma - eight(128);
            of_blue[k] = halved(upper.blue + lower.blue), of_red[k] = halved(upper.red + lower.red);
        }
        blue[y / 2] = narrowed(of_blue[0], of_blue[1]), red[y / 2] = narrowed(of_red[0], of_red[1]);
    }
    int stride = SIDE * job->across, at = colour_at(job, SIDE / 2 * square_x, SIDE / 2 * square_y);
    for (int k = 0; k < 4 && changed; k++) {
        code_block(luma[k], &steps[0]);
        put_block(luma[k], job->luma + (SIDE * square_y + k / 2 * 8) * stride + SIDE * square_x + k % 2 * 8, stride);
    }
    code_block(blue, &steps[1]), code_block(red, &steps[1]);
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
static inline void doubled(const u8 *colours, int stride, int y, s8 out[2]) {
    const u8 *next = colours + (y & 1 ? stride : -stride);
    v128_t own = three_to_one(colours, next);
    v128_t left = three_to_one(colours - 1, next - 1), right = three_to_one(colours + 1, next + 1);
    own = wasm_i16x8_add(wasm_i16x8_add(own, own), own);
    v128_t grey = wasm_i16x8_splat(128);
    left = wasm_i16x8_sub(wasm_u16x8_shr(wasm_i16x8_add(wasm_i16x8_add(own, left), wasm_i16x8_splat(8)), 4), grey);
    right = wasm_i16x8_sub(wasm_u16x8_shr(wasm_i16x8_add(wasm_i16x8_add(own, right), wasm_i16x8_splat(7)), 4), grey);
    out[0] = (s8)wasm_i16x8_shuffle(left, right, 0, 8, 1, 9, 2, 10, 3, 11);
    out[1] = (s8)wasm_i16x8_shuffle(left, right, 4, 12, 5, 13, 6, 14, 7, 15);
}

// The colours of eight pixels, beyond 0..255 too, with the factors of libjpeg: 1.402 red, ...
typedef struct { s8 red, green, blue; } Eight;

static inline Eight as_colours(s8 luma, s8 blue, s8 red) {
    v128_t first = wasm_i16x8_shuffle((v128_t)red, (v128_t)blue, 0, 8, 1, 9, 2, 10, 3, 11);
    v128_t last = wasm_i16x8_shuffle((v128_t)red, (v128_t)blue, 4, 12, 5, 13, 6, 14, 7, 15);
    i4 half = whole(32768), factors = whole(18734 | (int)((unsigned)-22554 << 16));
    i4 first_green = ((i4)wasm_i32x4_dot_i16x8(first, (v128_t)factors) + half) >> 16;
    i4 last_green = ((i4)wasm_i32x4_dot_i16x8(last, (v128_t)factors) + half) >> 16;
    // Of libjpeg's 91881 / 65536 the fraction rounded to 15 bits, which serves all numbers of red as well.
    return (Eight){luma + red + product(red, eight(13173)), luma - red + narrowed(first_green, last_green),
                   luma + blue + blue + product(blue, eight(-7471))};
}

// Two vectors of four pixels each, red, green, blue and 0, of eight numbers from 0 to 255 of each colour.
typedef struct { v128_t first, last; } Pixels;

static inline Pixels interleaved(s8 red, s8 green, s8 blue) {
    v128_t red_green = (v128_t)(red | (green << 8));
    return (Pixels){wasm_i16x8_shuffle(red_green, (v128_t)blue, 0, 8, 1, 9, 2, 10, 3, 11),
                    wasm_i16x8_shuffle(red_green, (v128_t)blue, 4, 12, 5, 13, 6, 14, 7, 15)};
}

// In place of the colours of four pixels the change to others, as bytes without a sign: UNCHANGED for none.
static inline void put_change(u8 *part, v128_t coded) {
    v128_t middle = wasm_i8x16_splat((signed char)UNCHANGED), before = wasm_v128_load(part);
    v128_t change = wasm_i8x16_sub_sat(wasm_v128_xor(coded, middle), wasm_v128_xor(before, middle));
    wasm_v128_store(part, wasm_v128_xor(change, middle));
}

// In place of a square's colours the change that coding makes.
static void find_change(const Jpeg *given, int square_x, int square_y) {
    const Jpeg own = *given, *job = &own; // which no pixel that is written can change
    int stride = colour_stride(job), left = SIDE * square_x;
    for (int y = SIDE * square_y; y < SIDE * (square_y + 1); y++) {
        int at = colour_at(job, left / 2, y / 2);
        s8 blue[2], red[2];
        doubled(job->blue + at, stride, y, blue), doubled(job->red + at, stride, y, red);
        v128_t luma = wasm_v128_load(job->luma + y * SIDE * job->across + left);
        Eight first = as_colours(first_bytes(luma), blue[0], red[0]);
        Eight last = as_colours(last_bytes(luma), blue[1], red[1]);
        v128_t reds = as_bytes(first.red, last.red), greens = as_bytes(first.green, last.green);
        v128_t blues = as_bytes(first.blue, last.blue);
        Pixels low = interleaved(first_bytes(reds), first_bytes(greens), first_bytes(blues));
        Pixels high = interleaved(last_bytes(reds), last_bytes(greens), last_bytes(blues));
        u8 *part = part_at(job, left, y);
        put_change(part, low.first), put_change(part + 16, low.last);
        put_change(part + 32, high.first), put_change(part + 48, high.last);
    }
}

// Add the change, bytes as `put_change` makes them, to four pixels as far as they are covered: four bytes.
static inline void change_four(u8 *pixels, v128_t change, v128_t cover) {
    v128_t middle = wasm_i8x16_splat((signed char)UNCHANGED);
    // Twelve bytes follow each other, as in the picture; the rest is no matter.
    change = wasm_i8x16_shuffle(change, change, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 3, 3, 3);
    change = wasm_v128_xor(change, middle);
    // Each byte twice is 257 times it, half of which, rounded up, is its share in 32768ths, but for a whole one. The
    // products with all changes are rounded as quotients by 255 are.
    v128_t first = wasm_i8x16_shuffle(cover, cover, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2);
    v128_t last = wasm_i8x16_shuffle(cover, cover, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3);
    v128_t none = wasm_i16x8_splat(0), most = wasm_i16x8_splat(32767);
    first = wasm_u16x8_min(wasm_u16x8_avgr(first, none), most);
    last = wasm_u16x8_min(wasm_u16x8_avgr(last, none), most);
    s8 of_first = product((s8)wasm_i16x8_extend_low_i8x16(change), (s8)first);
    s8 of_last = product((s8)wasm_i16x8_extend_high_i8x16(change), (s8)last);
    change = wasm_i8x16_narrow_i16x8((v128_t)of_first, (v128_t)of_last);
    v128_t own = wasm_v128_xor(wasm_v128_load(pixels), middle);
    own = wasm_v128_xor(wasm_i8x16_add_sat(own, change), middle);
    wasm_v128_store64_lane(pixels, own, 0);
    wasm_v128_store32_lane(pixels + 8, own, 2);
}

// Four pixels of a row, and how far they are covered: bytes.
typedef struct {
    Places of;
    int x, cover;
} Covered;

// For their places come first, too, see `code_square`.
static inline void change_all(const Jpeg *job, int y, const Covered *some, int count) {
    for (const Covered *one = some; one < some + count; one++) {
        Levels change = levels_at(part_at(job, 0, 0), 4, part_stride(job), &one->of);
        v128_t four = (v128_t)(change.red | (change.green << 8) | (change.blue << 16));
        change_four(job->picture + 3 * (y * job->columns + one->x), four, wasm_v128_load32_zero(&one->cover));
    }
}

static inline int four_bytes(const u8 *at) {
    int four;
    __builtin_memcpy(&four, at, 4);
    return four;
}

// The first covered pixel of a row from x on; `columns` or more if none is.
static inline int next_covered(const u8 *row, int x, int columns) {
    for (; x < columns; x += 16) {
        int covered = wasm_i8x16_bitmask(wasm_i8x16_ne(wasm_v128_load(row + x), wasm_i8x16_splat(0)));
        if (covered) return x + __builtin_ctz(covered);
    }
    return x;
}

static void change_row(const Jpeg *given, int y) {
    const Jpeg own = *given, *job = &own; // which no pixel that is written can change
    const u8 *row = job->coverage + y * job->columns;
    Spots of_row = spots_of_row(job->to_part, y);
    Covered some[AT_ONCE];
    int count = 0;
    for (int x = next_covered(row, 0, job->columns); x < job->columns; x += 4) {
        int cover = four_bytes(row + x);
        if (!cover) {
            x = next_covered(row, x + 4, job->columns);
            if (x >= job->columns) break;
            cover = four_bytes(row + x);
        }
        if (x + 4 > job->columns) cover &= (1 << 8 * (job->columns - x)) - 1; // others are the next row's
        Spots columns = spots_of_columns(job->to_part, x);
        some[count].of = places(columns, of_row, 4, -1, SIDE * job->across, SIDE * job->down);
        some[count].cover = cover, some[count++].x = x;
        if (count == AT_ONCE) change_all(job, y, some, count), count = 0;
    }
    change_all(job, y, some, count);
}

// The pixels of the part beyond its squares.
static void surround(const Jpeg *job) {
    int stride = part_stride(job), rows = SIDE * job->down;
    __builtin_memset(job->part, UNCHANGED, stride);
    for (int y = 0; y < rows; y++) {
        __builtin_memset(part_at(job, -1, y), UNCHANGED, 4);
        __builtin_memset(part_at(job, SIDE * job->across, y), UNCHANGED, 8);
    }
    __builtin_memset(part_at(job, -1, rows), UNCHANGED, 2 * stride);
}

EXPORT(jpeg_blocks) void jpeg_blocks(const Jpeg *job) {
    int squares = job->across * job->down;
    Steps steps[2] = {steps_of(job->steps), steps_of(job->steps + 64)};
    surround(job);
    for (int at = 0; at < squares; at++) {
        int x = at % job->across, y = at / job->across;
        job->worn[at] = is_worn(job, x, y, NEAR);
        if (job->worn[at] || is_worn(job, x, y, NEAR_COLOUR)) code_square(job, steps, x, y, job->worn[at]);
    }
    repeat_edge(job, job->blue), repeat_edge(job, job->red);
    for (int at = 0; at < squares; at++)
        if (job->worn[at]) find_change(job, at % job->across, at / job->across);
    for (int y = 0; y < job->rows; y++) change_row(job, y);
}

EXPORT(size_of_jpeg_blocks) int size_of_jpeg_blocks(void) { return sizeof(Jpeg); }
