// Composites a rendered mask onto its picture: contact shadow, noise, then cloth over skin. See `masks.composite`.
//
// Rows are done four pixels at a time, from the top, where mask or shadow are.
#include "blur.h"
#include "pixels.h"
#include "scatter.h"

#define TILE 256                // side of the noise tile, which repeats
#define TILE_STRIDE (TILE + 4)  // its rows begin once more at their end

#define LEAST_LIGHT 1e-3f // so that no share is divided by 0

// All pictures are the part of a picture that the layer covers: rows x columns.
typedef struct {
    int rows, columns;
    const f4 *paint; // premultiplied colour and coverage
    const float *alpha;
    float *shadow, *room; // memory
    Span *spans;          // memory, see `Blur`
    const u8 *picture;    // red, green, blue
    f4 *soft, *half, *room_of_scatter; // memory for the same, blurred, as it shows through thin cloth; see `scatter`;
                                       // null for opaque cloth
    int scatter;          // its reach
    float sheer;          // share of the light that the cloth lets through
    float *cloth;         // the results: the sum of the coverage of cloth, and that of the light that it blocks; null if
                          // not wanted
    float strap_cover;    // coverage up to which it is that of a strap
    u8 *masked, *coverage;
    const float *weights; // of the shadow's blur
    int reach;
    float strength, round;                // of the shadow; share of it on every side
    int right, down;                      // the shadow's offset
    const float *ground;                  // the corners (n, 2) of a convex polygon, in which shadow falls
    int corners;
    const float *noise;                   // the tile
    float levels, colour_levels;          // standard deviations of the noise
    int up, left, colour_up, colour_left; // where the tile begins, for luma and colour
    float under, pressed;                 // noise is compressed where green is near `under`
} Composite;

// The columns of row y that the polygon reaches, to the nearest one.
static Span inside(const Composite *job, int y) {
    float from = job->columns, to = -1;
    for (int at = 0; at < job->corners; at++) {
        const float *a = job->ground + 2 * at, *b = job->ground + 2 * (at + 1 < job->corners ? at + 1 : 0);
        if ((a[1] <= y) == (b[1] <= y)) continue;
        float x = a[0] + (b[0] - a[0]) * ((y - a[1]) / (b[1] - a[1]));
        from = least(from, x), to = greatest(to, x);
    }
    return (Span){(int)(greatest(from, 0) + 0.5f), (int)__builtin_floorf(least(to, job->columns - 1) + 0.5f)};
}

static inline void put_coverage(u8 *pixels, f4 cover) {
    v128_t levels = (v128_t)bytes(cover * all(255)), none = wasm_i32x4_splat(0);
    v128_t packed = wasm_i8x16_shuffle(levels, none, 0, 4, 8, 12, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16);
    wasm_v128_store32_lane(pixels, packed, 0);
}

// The shadow at four pixels of a row, moved by its offset; 0 from beyond the picture.
static f4 moved_shadow(const Composite *job, int x, int y) {
    int from_x = x - job->right, from_y = y - job->down;
    if (from_y < 0 || from_y >= job->rows) return all(0);
    const float *row = job->shadow + from_y * job->columns;
    if (from_x >= 0 && from_x + 3 < job->columns) return four_at(row + from_x);
    f4 out = all(0);
    for (int k = 0; k < 4; k++)
        if (from_x + k >= 0 && from_x + k < job->columns) out[k] = row[from_x + k];
    return out;
}

// The share of the picture's light that remains under the mask and its shadow.
static f4 light_left(const Composite *job, int x, int y, Span ground, f4 alpha) {
    f4 skin = all(1) - alpha;
    f4 shadow = greatest4(four_at(job->shadow + y * job->columns + x) * all(job->round), moved_shadow(job, x, y));
    i4 column = whole(x) + FIRST_FOUR;
    shadow = choose((column >= whole(ground.from)) & (column <= whole(ground.to)), shadow, all(0));
    return (all(1) - shadow * skin) * skin;
}

static inline f4 tile_at(const Composite *job, int y, int x) {
    return four_at(job->noise + (y & (TILE - 1)) * TILE_STRIDE + (x & (TILE - 1)));
}

static void add_noise(const Composite *job, int x, int y, f4 alpha, f4 green_paint, Colours *to) {
    f4 strength = alpha * least4(all(job->under) - green_paint, all(job->pressed)) * all(1 / job->pressed);
    f4 luma = tile_at(job, y + job->up, x + job->left) * strength * all(job->levels);
    to->red += luma, to->green += luma, to->blue += luma;
    if (job->colour_levels > 0) {
        f4 colour = tile_at(job, y + job->colour_up, x + job->colour_left) * strength * all(job->colour_levels);
        to->red += colour, to->blue -= colour;
    }
}

// Of the light that is left, the share that comes through thin cloth is blurred.
static void show_through(const Composite *job, int at, f4 alpha, f4 cover, Colours *to) {
    f4 soft[4] = {job->soft[at], job->soft[at + 1], job->soft[at + 2], job->soft[at + 3]};
    transpose(soft);
    f4 share = cover * all(job->sheer);
    share /= greatest4(all(1) - alpha, share + all(LEAST_LIGHT));
    to->red += (soft[0] - to->red) * share;
    to->green += (soft[1] - to->green) * share;
    to->blue += (soft[2] - to->blue) * share;
}

static void composite_four(const Composite *job, int x, int y, Span ground) {
    int at = y * job->columns + x;
    f4 alpha = four_at(job->alpha + at), kept = light_left(job, x, y, ground, alpha);
    f4 paint[4] = {job->paint[at], job->paint[at + 1], job->paint[at + 2], job->paint[at + 3]};
    transpose(paint);
    if (!any((kept != all(1)) | (paint[3] > all(0)))) return;
    Colours out = colours_at(job->picture + 3 * at);
    if (job->soft) show_through(job, at, alpha, paint[3], &out);
    out.red = out.red * kept + paint[0];
    out.green = out.green * kept + paint[1];
    out.blue = out.blue * kept + paint[2];
    if (job->levels > 0) add_noise(job, x, y, alpha, paint[1], &out);
    put_colours(job->masked + 3 * at, out);
    put_coverage(job->coverage + at, paint[3]);
}

// The columns of row y that mask or shadow can change; `shadow` has those of the shadow before it is moved.
static Span changed(const Composite *job, const Span *shadow, int y) {
    if (job->columns < 4) return (Span){0, job->columns - 1};
    const f4 *paint = job->paint + y * job->columns;
    Span span = {0, job->columns - 1};
    while (span.from <= span.to && paint[span.from][3] == 0) span.from++;
    while (span.from < span.to && paint[span.to][3] == 0) span.to--;
    span = joined(is_empty(span) ? NONE : span, shadow[y]);
    int from_y = y - job->down;
    if (from_y < 0 || from_y >= job->rows || is_empty(shadow[from_y])) return span;
    Span moved = {shadow[from_y].from + job->right, shadow[from_y].to + job->right};
    span = joined(span, moved);
    return (Span){greatest_of(span.from, 0), least_of(span.to, job->columns - 1)};
}

// The last four pixels end with the row, so that nothing is written beyond it, unless the row is shorter: then the next
// row is done whole and overwrites it.
static void composite_row(const Composite *given, Span span, int y) {
    const Composite own = *given, *job = &own; // which no pixel that is written can change
    Span ground = inside(job, y);
    int last = greatest_of(job->columns - 4, 0);
    for (int x = span.from; x <= span.to; x += 4) composite_four(job, least_of(x, last), y, ground);
}

// Ear loops and head straps do not count.
static void sum_cloth(const Composite *job) {
    f4 covered = all(0), blocked = all(0);
    int size = job->rows * job->columns;
    for (int at = 0; at < size; at += 4) {
        f4 cover = {job->paint[at][3], job->paint[at + 1][3], job->paint[at + 2][3], job->paint[at + 3][3]};
        i4 is_cloth = (cover > all(job->strap_cover)) & (whole(at) + FIRST_FOUR < whole(size));
        cover = choose(is_cloth, cover, all(0));
        covered += cover, blocked += choose(is_cloth, least4(four_at(job->alpha + at), cover), all(0));
    }
    job->cloth[0] = covered[0] + covered[1] + covered[2] + covered[3];
    job->cloth[1] = blocked[0] + blocked[1] + blocked[2] + blocked[3];
}

EXPORT(composite) void composite(const Composite *job) {
    int size = job->rows * job->columns;
    for (int at = 0; at < size; at += 4) {
        f4 cover = {job->paint[at][3], job->paint[at + 1][3], job->paint[at + 2][3], job->paint[at + 3][3]};
        put_four(job->shadow + at, least4(four_at(job->alpha + at), cover) * all(job->strength));
    }
    if (job->cloth) sum_cloth(job);
    if (job->soft)
        scatter(job->picture, job->rows, job->columns, job->scatter, job->soft, job->half, job->room_of_scatter);
    Blur blur = {job->rows, job->columns, 1, job->weights, job->reach, job->spans};
    for (int y = 0; y < job->rows; y++) blur.spans[y] = support(job->shadow + y * job->columns, job->columns);
    BlurPlan plan = plan_blur(blur);
    blurred(blur, plan, job->shadow, job->room);
    __builtin_memcpy(job->masked, job->picture, 3 * size);
    __builtin_memset(job->coverage, 0, size);
    for (int y = 0; y < job->rows; y++) composite_row(job, changed(job, plan.down, y), y);
}

EXPORT(size_of_composite) int size_of_composite(void) { return sizeof(Composite); }
