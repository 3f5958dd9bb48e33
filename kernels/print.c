// Lays a print on the flattened cloth, where folds and pleats move it, and samples it at each texel.
#include "cloth.h"

// Weights of a Gaussian blur of three pixels, with a standard deviation of 0.8, and how much of it is taken away, in
// 1 / 32768.
#define MIDDLE 17106
#define TWO_SIDES 15662
#define SHARPER 29491

// Pixels of the print at the centres of PLACES x PLACES cells of the cloth, x and y. Beyond the last one something may
// be read.
static float places[(PLACES * PLACES + 1) * 2];

// Two bytes as numbers, for each of the four numbers of a colour.
#define EACH_PAIR(v, a, b)                                                                                             \
    wasm_i8x16_shuffle(v, wasm_i32x4_splat(0), a, 16, b, 16, a, 16, b, 16, a, 16, b, 16, a, 16, b, 16)
// Pixel k of some.
#define INKED(k)                                                                                                       \
    (v128_t)(((i4)wasm_i32x4_dot_i16x8(EACH_PAIR(from, 3 * k, 3 * k + 1), red_green) +                                 \
              (i4)wasm_i32x4_dot_i16x8(EACH_PAIR(from, 3 * k + 2, 16), blue) + paper) >>                               \
             14)

// Four pixels of a print in three inks.
static v128_t inked(const u8 *pixels, v128_t red_green, v128_t blue, i4 paper) {
    v128_t from = wasm_v128_load(pixels);
    v128_t first = wasm_i16x8_narrow_i32x4(INKED(0), INKED(1)), last = wasm_i16x8_narrow_i32x4(INKED(2), INKED(3));
    return wasm_u8x16_narrow_i16x8(first, last);
}

// Of a print that is shown once, the pixels beyond those that are not transparent: least x and y, greatest x and y.
static float clear[4];

// A print that is shown once, with transparent pixels around it.
static void make_picture(const Cloth *job) {
    int side = job->side, wide = side + 3, top = side, bottom = -1;
    unsigned *tile = (unsigned *)job->tile, *columns = tile + wide * (side + 2);
    __builtin_memset(tile, 0, 4 * wide);
    __builtin_memset(columns - wide, 0, 8 * wide);
    for (int y = 0; y < side; y++) {
        const u8 *from = job->pixels + 4 * side * y;
        unsigned *row = tile + wide * (y + 1) + 1;
        i4 both = whole(0);
        row[-1] = row[side] = row[side + 1] = 0;
        for (int x = 0; x < side; x += 4) {
            v128_t pixels = wasm_v128_load(from + 4 * x);
            wasm_v128_store(row + x, pixels);
            wasm_v128_store(columns + x, wasm_v128_or(wasm_v128_load(columns + x), pixels));
            both |= (i4)pixels;
        }
        if (any((i4)((u4)both >> 24))) top = least_of(top, y), bottom = y;
    }
    int left = 0, right = side - 1;
    while (left < side && !(columns[left] >> 24)) left++;
    while (right >= 0 && !(columns[right] >> 24)) right--;
    __builtin_memset(columns, 0, 4 * wide);
    clear[0] = left - 1, clear[1] = top - 1, clear[2] = right + 1, clear[3] = bottom + 1;
}

// The print in its colours, with room on all sides: it repeats there, or is transparent. 4 bytes each.
static void make_tile(const Cloth *job) {
    int side = job->side, wide = side + 3;
    unsigned *tile = (unsigned *)job->tile;
    if (job->channels == 4) {
        make_picture(job);
        return;
    }
    v128_t red_green = wasm_v128_load(job->inks), blue = wasm_v128_load(job->inks + 8);
    i4 paper = (i4)wasm_v128_load(job->paper) + whole(8192);
    for (int y = 0; y < side; y++) {
        unsigned *row = tile + wide * y;
        for (int x = 0; x < side; x += 4)
            wasm_v128_store(row + x, inked(job->pixels + 3 * (side * y + x), red_green, blue, paper));
        row[side] = row[0];
    }
    __builtin_memcpy(tile + wide * side, tile, 4 * (side + 1));
}

// Add a row's slopes to the sums of its columns.
static void add_row(const Cloth *job, int y, short *across, short *down) {
    const u8 *row = job->drawn + 4 * job->stride * y, *row_down = job->drawn_down + job->stride * y;
    for (int x = 0; x < job->columns; x += 8) {
        v128_t first = (v128_t)((u4)wasm_v128_load(row + 4 * x) >> 24);
        v128_t last = (v128_t)((u4)wasm_v128_load(row + 4 * x + 16) >> 24);
        put_eight(across + x, eight_at(across + x) + (s8)wasm_i16x8_narrow_i32x4(first, last));
        put_eight(down + x, eight_at(down + x) + eight_bytes(row_down + x));
    }
}

// The rows or columns of a cell; `to` is beyond it.
typedef struct { int from, to; } Part;

static Part part(int cell, int size) {
    int from = cell * size / PLACES;
    return (Part){from, greatest_of((cell + 1) * size / PLACES, from + 1)};
}

// The sums of the columns of each cell, and how many they are.
static void sum_cells(const Cloth *job, const short *columns_of, int *sums) {
    if (job->columns == 2 * PLACES) { // as on most faces
        for (int at = 0; at < PLACES; at += 4)
            wasm_v128_store(sums + at, wasm_u32x4_extadd_pairwise_u16x8(wasm_v128_load(columns_of + 2 * at)));
        return;
    }
    for (int at = 0; at < PLACES; at++) {
        Part columns = part(at, job->columns);
        sums[at] = 0;
        for (int x = columns.from; x < columns.to; x++) sums[at] += (unsigned short)columns_of[x];
    }
}

// The places of four cells, whose slopes have these sums; folds move the print: a slope gathers the cloth.
static inline void move_print(const Cloth *job, const float *flat, i4 across, i4 down, f4 share, float *place) {
    const float *turn = job->turn;
    f4 a = four_at(flat), b = four_at(flat + 4);
    f4 x = __builtin_shufflevector(a, b, 0, 2, 4, 6), y = __builtin_shufflevector(a, b, 1, 3, 5, 7);
    x += all(job->bend) * (floats(across) * share - all(128));
    y += all(job->bend) * (floats(down) * share - all(128));
    f4 column = all(turn[0]) * x + all(turn[1]) * y + all(job->shift[0]);
    f4 row = all(turn[2]) * x + all(turn[3]) * y + all(job->shift[1]);
    put_four(place, __builtin_shufflevector(column, row, 0, 4, 1, 5));
    put_four(place + 4, __builtin_shufflevector(column, row, 2, 6, 3, 7));
}

static void find_places(const Cloth *job, short *across, short *down) {
    int of_across[PLACES], of_down[PLACES], wide[PLACES];
    for (int at = 0; at < PLACES; at++) wide[at] = part(at, job->columns).to - part(at, job->columns).from;
    for (int cell = 0; cell < PLACES; cell++) {
        Part rows = part(cell, job->rows);
        for (int x = 0; x < job->stride; x += 8) put_eight(across + x, eight(0)), put_eight(down + x, eight(0));
        for (int y = rows.from; y < rows.to; y++) add_row(job, y, across, down);
        sum_cells(job, across, of_across), sum_cells(job, down, of_down);
        for (int at = 0; at < PLACES; at += 4) {
            int number = 2 * (PLACES * cell + at);
            f4 share = all(1) / floats(whole(rows.to - rows.from) * (i4)wasm_v128_load(wide + at));
            i4 sum_across = (i4)wasm_v128_load(of_across + at), sum_down = (i4)wasm_v128_load(of_down + at);
            move_print(job, job->flat + number, sum_across, sum_down, share, places + number);
        }
    }
}

// For each column of the cloth the cell left of it, and, twice, the share of the one right of it.
typedef struct {
    int *first;
    float *later;
} Taps;

static Taps taps(const Cloth *job, int cells, short *room) {
    Taps of = {(int *)room, (float *)(room + 2 * job->stride)};
    for (int x = 0; x < job->stride; x++) {
        Between own = between(least_of(x, job->columns - 1), job->columns, cells);
        of.first[x] = own.first, of.later[2 * x] = of.later[2 * x + 1] = own.later;
    }
    return of;
}

static inline int outside(f4 at) {
    f4 low = {clear[0], clear[1], clear[0], clear[1]}, high = {clear[2], clear[3], clear[2], clear[3]};
    i4 beyond = (at <= low) | (at >= high);
    return (beyond[0] | beyond[1]) & (beyond[2] | beyond[3]);
}

// For each row of places, one bit for each place: is it left of, above, right of, below a print that is shown once?
typedef unsigned long long Bits;
static Bits beside[PLACES][4];

// The places' x or y, four of each 4, as bits from bit `at` on.
static inline void add_bits(Bits *low, Bits *high, f4 v, float least, float most, int at) {
    *low |= (Bits)wasm_i32x4_bitmask((v128_t)(v <= all(least))) << at;
    *high |= (Bits)wasm_i32x4_bitmask((v128_t)(v >= all(most))) << at;
}

// Find `beside`; folds that hide cloth move the print by up to `hidden` eye distances.
static void find_beside(const Cloth *job, float hidden) {
    float x = __builtin_fabsf(job->turn[1]) * hidden + 0.01f, y = __builtin_fabsf(job->turn[3]) * hidden + 0.01f;
    float left = clear[0] - x, top = clear[1] - y, right = clear[2] + x, bottom = clear[3] + y;
    for (int row = 0; row < PLACES; row++) {
        Bits bits[4] = {0};
        for (int at = 0; at < PLACES; at += 4) {
            f4 a = four_at(places + 2 * (PLACES * row + at)), b = four_at(places + 2 * (PLACES * row + at) + 4);
            add_bits(bits, bits + 2, __builtin_shufflevector(a, b, 0, 2, 4, 6), left, right, at);
            add_bits(bits + 1, bits + 3, __builtin_shufflevector(a, b, 1, 3, 5, 7), top, bottom, at);
        }
        for (int k = 0; k < 4; k++) beside[row][k] = bits[k];
    }
}

// The columns of a row between places of which not all four are on the same side of the print; the others show none.
static Part printed_columns(const Cloth *job, int y) {
    if (job->channels == 3) return (Part){0, job->columns};
    Between own = between(y, job->rows, PLACES);
    Bits none = 0;
    for (int k = 0; k < 4; k++) {
        Bits both = beside[own.first][k] & beside[own.next][k];
        none |= both & ((both >> 1) | (1ULL << (PLACES - 1)));
    }
    if (!~none) return (Part){0, 0};
    float columns = (float)job->columns / PLACES;
    int first = __builtin_ctzll(~none), last = PLACES - 1 - __builtin_clzll(~none);
    int from = first ? (int)((first + 0.5f) * columns - 0.5f) & ~1 : 0;
    return (Part){from, last < PLACES - 1 ? least_of((int)((last + 1.5f) * columns + 1), job->columns) : job->columns};
}

// The columns that a row's sharpening may change.
static Part sharpened_columns(const Cloth *job, int y) {
    Part found = {job->columns, 0};
    for (int row = greatest_of(y - 1, 0); row <= least_of(y + 1, job->rows - 1); row++) {
        Part of = printed_columns(job, row);
        if (of.from < of.to) found = (Part){least_of(found.from, of.from), greatest_of(found.to, of.to)};
    }
    if (found.from >= found.to) return found;
    return (Part){greatest_of(found.from - 2, 0), least_of(found.to + 2, job->columns)};
}

// The colours of two texels at x, y, x, y in the tile, times 128.
static inline s8 sampled(const Cloth *job, f4 at) {
    int once = job->channels == 4, wide = job->side + 3;
    if (once) at = clamped(at, -1, job->side) + all(1);
    f4 lower = (f4)wasm_f32x4_floor((v128_t)at);
    i4 pixel = truncated(lower), later = truncated((at - lower) * all(32768));
    if (!once) pixel &= whole(job->side - 1);
    const unsigned *a = (const unsigned *)job->tile + pixel[1] * wide + pixel[0];
    const unsigned *b = (const unsigned *)job->tile + pixel[3] * wide + pixel[2];
    s8 down_one = EACH_FOUR(later, 4, 4), down_two = EACH_FOUR(later, 12, 12);
    s8 one = mixed((s8)wasm_u16x8_load8x8(a) << 7, (s8)wasm_u16x8_load8x8(a + wide) << 7, down_one);
    s8 two = mixed((s8)wasm_u16x8_load8x8(b) << 7, (s8)wasm_u16x8_load8x8(b + wide) << 7, down_two);
    s8 left = __builtin_shufflevector(one, two, 0, 1, 2, 3, 8, 9, 10, 11);
    s8 right = __builtin_shufflevector(one, two, 4, 5, 6, 7, 12, 13, 14, 15);
    return mixed(left, right, EACH_FOUR(later, 0, 8));
}

// What is shown once, over the ground.
static inline s8 over(s8 ground, s8 colour) {
    s8 opacity = __builtin_shufflevector(colour, colour, 3, 3, 3, 3, 7, 7, 7, 7);
    return mixed(ground, colour, opacity + (opacity >> 8));
}

static inline f4 pairs_at(const float *row, Taps of, int x) {
    f4 a = four_at(row + 2 * of.first[x]), b = four_at(row + 2 * of.first[x + 1]);
    f4 left = __builtin_shufflevector(a, b, 0, 1, 4, 5), right = __builtin_shufflevector(a, b, 2, 3, 6, 7);
    return left + (right - left) * four_at(of.later + 2 * x);
}

// What is hidden above the columns x and x + 1, twice.
static inline f4 hidden_at(const Pleats *pleats, Taps of, int x) {
    const float *hidden = pleats->hidden;
    v128_t a = wasm_v128_load64_zero(hidden + of.first[x]), b = wasm_v128_load64_zero(hidden + of.first[x + 1]);
    f4 left = (f4)wasm_i32x4_shuffle(a, b, 0, 0, 4, 4), right = (f4)wasm_i32x4_shuffle(a, b, 1, 1, 5, 5);
    return left + (right - left) * four_at(of.later + 2 * x);
}

// A row of places between two cells.
static void places_of_row(int y, int rows, float *row) {
    Between own = between(y, rows, PLACES);
    const float *upper = places + 2 * PLACES * own.first, *lower = places + 2 * PLACES * own.next;
    for (int at = 0; at < 2 * PLACES; at += 4)
        put_four(row + at, four_at(upper + at) + (four_at(lower + at) - four_at(upper + at)) * all(own.later));
}

// A row of the print from places in the tile.
static void print_row(const Cloth *job, const float *places_of_row, Taps of, const float *hidden, Part part, u8 *to) {
    int once = job->channels == 4;
    v128_t paper = wasm_i32x4_splat(job->ground);
    f4 down = {job->turn[1], job->turn[3], job->turn[1], job->turn[3]};
    for (int x = part.from; x < part.to; x += 2) {
        f4 at = pairs_at(places_of_row, of, x);
        if (hidden) at += four_at(hidden + 2 * x) * down;
        if (once && outside(at)) {
            wasm_v128_store64_lane(to + 4 * x, paper, 0);
            continue;
        }
        s8 colour = sampled(job, at);
        if (once) colour = over(first_bytes(paper) << 7, colour);
        s8 levels = (colour + eight(64)) >> 7;
        wasm_v128_store64_lane(to + 4 * x, as_bytes(levels, levels), 0);
    }
}

void lay_print(const Cloth *job, Pleats *pleats) {
    make_tile(job);
    find_places(job, row_of_room(job, 0), row_of_room(job, 1));
    Taps of = taps(job, PLACES, row_of_room(job, 0)), folded = of;
    float row[2 * PLACES + 4] = {0}, *hidden = (float *)row_of_room(job, 6);
    f4 middle = all(0);
    if (job->panels) {
        folded = taps(job, pleats->columns, row_of_room(job, 3));
        fold_row(job, pleats, job->rows / 2);
        f4 there = hidden_at(pleats, folded, job->columns / 2);
        middle = all(there[0]);
    }
    if (job->channels == 4) find_beside(job, job->panels ? pleats->above[job->panels] : 0);
    for (int y = 0; y < job->rows; y++) {
        u8 *to = job->printed + 4 * job->stride * y;
        Part columns = printed_columns(job, y);
        if (job->channels == 4) fill(to, 0, job->columns, job->ground);
        if (columns.from >= columns.to) continue;
        places_of_row(y, job->rows, row);
        if (job->panels) fold_row(job, pleats, y);
        for (int x = columns.from; job->panels && x < columns.to; x += 2)
            put_four(hidden + 2 * x, hidden_at(pleats, folded, x) - middle);
        print_row(job, row, of, job->panels ? hidden : 0, columns, to);
    }
}

void sharpen_row(const Cloth *job, int y, u8 *to) {
    Part part = sharpened_columns(job, y);
    if (part.from > 0 || part.to < job->columns) fill(to, 0, job->columns, job->ground);
    if (part.from >= part.to) return;
    int length = 4 * job->columns, stride = 4 * job->stride, from = 4 * (part.from & ~1), end = 4 * part.to;
    const u8 *row = job->printed + stride * y;
    const u8 *above = y ? row - stride : row + (job->rows > 1 ? stride : 0);
    const u8 *below = y + 1 < job->rows ? row + stride : row - (job->rows > 1 ? stride : 0);
    short *soft = row_of_room(job, 4) + 8;
    for (int at = greatest_of(from - 8, 0); at < least_of(end + 8, length); at += 8) {
        s8 sides = (eight_bytes(above + at) + eight_bytes(below + at)) << 6;
        put_eight(soft + at, product(eight_bytes(row + at) << 7, eight(MIDDLE)) + product(sides, eight(TWO_SIDES)));
    }
    int next = job->columns > 1 ? 4 : 0;
    __builtin_memcpy(soft - 4, soft + next, 8);
    __builtin_memcpy(soft + length, soft + length - 4 - next, 8);
    for (int at = from; at < end; at += 8) {
        s8 sides = (eight_at(soft + at - 4) >> 1) + (eight_at(soft + at + 4) >> 1);
        s8 blurred = product(eight_at(soft + at), eight(MIDDLE)) + product(sides, eight(TWO_SIDES));
        s8 own = eight_bytes(row + at) << 6;
        s8 sharp = (own + product(own - (blurred >> 1), eight(SHARPER)) + eight(32)) >> 6;
        wasm_v128_store64_lane(to + at, as_bytes(sharp, sharp), 0);
    }
}
