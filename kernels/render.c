// Renders one mask: its triangles, texture and light, blurred as the photograph is.
#include "between.h"
#include "blur.h"
#include "draw_cloth.h"
#include "rasterise.h"

#define LEAST_WHOLE 1e-3f // least share of a pixel by which what lies on it is divided

// The atlas of a mask's texture, rows x columns texels.
typedef struct {
    int rows, columns;
    const u8 *colours;  // 4 each: red, green, blue, slope across
    const u8 *slope;    // slope down
    const u8 *material; // 2 each: material, clearness; null if all is opaque cloth
    const u8 *names;    // part labels
} Atlas;

// Where a pixel of the window lies between two of the canvas, along one axis.
typedef struct {
    int first, next;
    float weight; // of the next one
} Tap;

// The window and the layer are parts of the picture; the canvas fills the window. See `masks.render`.
typedef struct {
    Canvas canvas;
    const double *points, *head_points; // of mask and head in the picture, (n, 3): x, y and depth
    int count, head_count;
    float *corners;           // memory for the same of both on the canvas
    const float *values;      // of both
    const int *seen;          // triangles of the mask
    int seen_count;
    const int *before;        // and of the head
    int before_count;
    int from_x, from_y;       // the window in the picture
    int left, up, wide, tall; // and in the layer
    int columns, rows;        // of the layer
    f4 *paint, *paint_room;   // the layer: premultiplied colour and coverage; and memory for its blur
    float *alpha, *alpha_room;
    u8 *parts;       // part labels, null if not requested
    f4 *mixed;       // memory for a row of the canvas,
    Tap *taps;       // for a row of the window,
    Span *spans;     // and for a blur
    const float *blur; // 2 * reach + 1 weights
    int reach;
    const Cloth *cloth; // draws the atlas; null if that is drawn
    Atlas atlas;
    float straps_from; // row of the atlas from which on it holds straps
    float strap_cover; // coverage of a strap as a share of its alpha
    int fades;         // whether the atlas's column is the opacity of a strap
    int has_edge;      // whether straps end at the edge of a photograph of these columns and rows
    float edge[6];     // from the layer's pixels to the photograph's: x = 0, 1, 2; y = 3, 4, 5
    float edge_columns, edge_rows;
    float sheer;
    float light, across, down, level, brightest;    // see `cloth_colour.fold_gains`
    float shine, shine_of_green, fibres, of_relief; // of the sheen
    float usual, tint;                              // of the shade, see `cloth_colour.shade_tint`
    float sheen_knee, sheen_room;                   // light from which the sheen grows less, and by how much it can
    float dye[12];                                  // (3, 4), see `cloth_colour.dye_numbers`
    float knee, room, kept, lift; // of the photograph's range: the level above which colours are compressed, its
                                  // distance from the brightest one, and the factor and level that black is raised by
} Render;

// Four pixels next to each other in a row of the layer; each row of `drawn` is one's x and y in the atlas and light,
// times the share of the pixel that is covered, and this share.
typedef struct {
    int column, row;
    f4 drawn[4];
} Four;

// Two neighbours in a row of texels of 1 byte, as pairs of 16 bits. Beyond the last column any byte does: its weight is
// 0.
static inline i4 pairs(const u8 *texels, i4 at) {
    v128_t v = wasm_v128_load16_lane(texels + at[0], wasm_i32x4_splat(0), 0);
    v = wasm_v128_load16_lane(texels + at[1], v, 2);
    v = wasm_v128_load16_lane(texels + at[2], v, 4);
    v = wasm_v128_load16_lane(texels + at[3], v, 6);
    return (i4)wasm_i8x16_shuffle(v, wasm_i32x4_splat(0), 0, 16, 1, 16, 4, 16, 5, 16, 8, 16, 9, 16, 12, 16, 13, 16);
}

// The same of texels of 2 bytes, whole.
static inline u4 pairs_of_two(const u8 *texels, i4 at) {
    v128_t v = wasm_v128_load32_zero(texels + 2 * at[0]);
    v = wasm_v128_load32_lane(texels + 2 * at[1], v, 1);
    v = wasm_v128_load32_lane(texels + 2 * at[2], v, 2);
    return (u4)wasm_v128_load32_lane(texels + 2 * at[3], v, 3);
}

// The same of one texel of 4 bytes: red of both, green of both, ...
static inline v128_t pairs_of_four(const u8 *texel) {
    v128_t two = wasm_v128_load64_zero(texel);
    return wasm_i8x16_shuffle(two, wasm_i32x4_splat(0), 0, 16, 4, 16, 1, 16, 5, 16, 2, 16, 6, 16, 3, 16, 7, 16);
}

static inline f4 mixed_pairs(i4 upper, i4 lower, Weights of) {
    return floats(mixed((v128_t)upper, (v128_t)lower, of.upper, of.lower));
}

// The share of a strap's alpha that is left where it fades, and 0 beyond the photograph.
static f4 strap_share(const Render *job, const Four *four, f4 x) {
    f4 share = least4((x + all(0.5f)) * all(1.0f / job->atlas.columns), all(1));
    if (!job->has_edge) return share;
    const float *to = job->edge;
    f4 column = floats(whole(four->column) + FIRST_FOUR), row = all(four->row);
    f4 there_x = all(to[0]) * column + all(to[1]) * row + all(to[2]);
    f4 there_y = all(to[3]) * column + all(to[4]) * row + all(to[5]);
    i4 inside = (there_x >= all(-0.5f)) & (there_y >= all(-0.5f)) & (there_x <= all(job->edge_columns - 0.5f)) &
                (there_y <= all(job->edge_rows - 0.5f));
    return choose(inside, share, all(0));
}

// Values that approach `knee` and `room` more in place of passing `knee`.
static inline f4 flattened(f4 value, float knee, float room) {
    f4 over = value - all(knee);
    if (!any(over > all(0))) return value;
    over = greatest4(over, all(0));
    return least4(value, all(knee)) + over * (all(room) / (all(room) + over));
}

// Encoded colours in the photograph's range.
static f4 compressed(const Render *job, f4 colour) {
    return least4(flattened(colour, job->knee, job->room) * all(job->kept) + all(job->lift), all(255));
}

// Pixels without coverage become 0, also those beyond the row's end: the next row is painted later, and after the last
// one there is room.
static inline void paint(const Render *job, Four *four) {
    transpose(four->drawn);
    const Atlas *atlas = &job->atlas;
    f4 alpha = four->drawn[3], some = all(1) / greatest4(alpha, all(LEAST_WHOLE));
    f4 x = four->drawn[0] * some, y = four->drawn[1] * some, lit = four->drawn[2] * some * all(job->light);
    i4 straps = y >= all(job->straps_from);
    int has_straps = any(straps);
    if (has_straps && job->fades) alpha = choose(straps, alpha * strap_share(job, four, x), alpha);
    f4 cover = has_straps ? choose(straps, alpha * all(job->strap_cover), alpha) : alpha;

    x = clamped(x, 0, atlas->columns - 1), y = clamped(y, 0, atlas->rows - 1);
    i4 column = truncated(x), row = truncated(y);
    Weights of = weights_of(x - floats(column), y - floats(row));
    i4 at = row * whole(atlas->columns) + column;
    i4 below = at + ((row < whole(atlas->rows - 1)) & whole(atlas->columns));
    i4 of_upper[4] = EACH_LANE(of.upper), of_lower[4] = EACH_LANE(of.lower);
    f4 texel[4];
    for (int k = 0; k < 4; k++) {
        v128_t upper = pairs_of_four(atlas->colours + 4 * at[k]), under = pairs_of_four(atlas->colours + 4 * below[k]);
        texel[k] = floats(mixed(upper, under, of_upper[k], of_lower[k]));
    }
    transpose(texel);
    f4 slope = mixed_pairs(pairs(atlas->slope, at), pairs(atlas->slope, below), of);

    if (atlas->material || job->sheer > 0) {
        f4 opaque = choose(straps, all(1), all(1 - job->sheer));
        if (atlas->material) {
            u4 upper = pairs_of_two(atlas->material, at), under = pairs_of_two(atlas->material, below);
            i4 low = whole(0xff00ff);
            f4 material = mixed_pairs((i4)upper & low, (i4)under & low, of) * all(1.0f / 255);
            f4 clear = mixed_pairs((i4)(upper >> 8) & low, (i4)(under >> 8) & low, of);
            cover *= material;
            opaque *= material * (all(1) - clear * all(1.0f / 255));
        }
        alpha *= opaque;
    }

    f4 bright = lit * (texel[3] * all(job->across) + slope * all(job->down) + all(job->level));
    bright = clamped(bright, 0, job->brightest);
    // The reflection of the fibres' surface: above 0 where the light, with most of the relief, is above the usual one, and
    // stronger on a darker dye, so that black cloth shows its form and its folds.
    f4 shining = lit * all(1 - job->of_relief) + bright * all(job->of_relief);
    f4 over = flattened(shining * shining - all(job->usual * job->usual), job->sheen_knee, job->sheen_room);
    f4 sheen = greatest4(over * (all(job->shine) - all(job->shine_of_green) * texel[1]), over * all(job->fibres));
    f4 warmer = (all(job->usual) - bright) * all(job->tint);
    f4 out[4];
    for (int k = 0; k < 3; k++) {
        const float *dye = job->dye + 4 * k;
        f4 own = all(dye[0]) * texel[0] + all(dye[1]) * texel[1] + all(dye[2]) * texel[2] + all(dye[3]) * sheen;
        out[k] = own * bright;
    }
    out[0] += warmer * out[0];
    out[2] -= warmer * out[2];
    for (int k = 0; k < 3; k++) out[k] = compressed(job, out[k]) * alpha;
    out[3] = cover;
    transpose(out);
    int place = four->row * job->columns + four->column;
    for (int k = 0; k < 4; k++) job->paint[place + k] = out[k];
    put_four(job->alpha + place, alpha);
    if (!job->parts) return;
    i4 nearest = truncated(rounded(y)) * whole(atlas->columns) + truncated(rounded(x));
    for (int k = 0; k < 4; k++)
        if (four->drawn[3][k] > 0) job->parts[place + k] = atlas->names[nearest[k]];
}

static Tap tap(int at, int canvas, float ratio) {
    float place = greatest(least((at + 0.5f) * ratio - 0.5f, canvas - 1), 0);
    int first = (int)place;
    return (Tap){first, least_of(first + 1, canvas - 1), place - first};
}

// What a place of the canvas holds: values where there is light, and 1 for the coverage.
static inline f4 held(f4 pixel) {
    i4 there = __builtin_shufflevector(pixel, pixel, 2, 2, 2, 2) > all(0);
    return (f4)((i4)__builtin_shufflevector(pixel, all(1), 0, 1, 2, 4) & there);
}

// A row of the canvas, of which these columns are defined: 0 beside what is drawn.
static const f4 *row_of_canvas(const Canvas *canvas, int y, int from, int to) {
    f4 *row = canvas->pixels + y * canvas->columns;
    Span drawn = canvas->spans[y];
    if (is_empty(drawn)) drawn = (Span){to + 1, to};
    for (int x = from; x < drawn.from; x++) row[x] = all(0);
    for (int x = drawn.to + 1; x <= to; x++) row[x] = all(0);
    return row;
}

// Paint a row of the window; returns its columns in which something is.
static Span paint_row(const Render *given, int y) {
    const Render own = *given, *job = &own; // which no pixel that is written can change
    const Canvas *canvas = &job->canvas;
    Tap rows = tap(y, canvas->rows, (float)canvas->rows / job->tall);
    Span drawn = joined(canvas->spans[rows.first], canvas->spans[rows.next]);
    if (is_empty(drawn)) return NONE;
    float ratio = (float)canvas->columns / job->wide;
    int first = greatest_of((int)(drawn.from / ratio) - 1, 0);
    int last = least_of((int)((drawn.to + 1) / ratio) + 1, job->wide - 1);
    f4 *mixed = job->mixed;
    int from = job->taps[first].first, to = job->taps[last].next;
    const f4 *upper = row_of_canvas(canvas, rows.first, from, to), *lower = row_of_canvas(canvas, rows.next, from, to);
    f4 of_upper = all(1 - rows.weight), of_lower = all(rows.weight);
    for (int x = from; x <= to; x++) mixed[x] = held(upper[x]) * of_upper + held(lower[x]) * of_lower;
    Span painted = NONE;
    for (int x = first; x <= last; x += 4) {
        Four four = {x + job->left, y + job->up, {0}};
        for (int k = 0; k < 4 && x + k <= last; k++) {
            Tap own = job->taps[x + k];
            f4 left = mixed[own.first];
            four.drawn[k] = left + (mixed[own.next] - left) * all(own.weight);
        }
        int there = 0;
        for (int k = 0; k < 4; k++) there |= (four.drawn[k][3] > 0) << k;
        if (!there) continue;
        painted = joined(painted, (Span){four.column + __builtin_ctz(there), four.column + 31 - __builtin_clz(there)});
        paint(job, &four);
    }
    return painted;
}

// Points of the picture on the canvas.
static void move_to_canvas(const Render *job, const double *points, int count, float *to) {
    double across = (double)job->canvas.columns / job->wide, down = (double)job->canvas.rows / job->tall;
    double right = (0.5 - job->from_x) * across - 0.5, lower = (0.5 - job->from_y) * down - 0.5;
    for (int at = 0; at < 3 * count; at += 3) {
        to[at] = points[at] * across + right;
        to[at + 1] = points[at + 1] * down + lower;
        to[at + 2] = points[at + 2] * down;
    }
}

static void draw_triangles(const Render *job) {
    float *of_head = job->corners + 3 * job->count;
    move_to_canvas(job, job->points, job->count, job->corners);
    move_to_canvas(job, job->head_points, job->head_count, of_head);
    clear_canvas(job->canvas);
    rasterise(job->canvas, job->corners, job->values, job->seen, job->seen_count);
    rasterise(job->canvas, of_head, job->values + 3 * job->count, job->before, job->before_count);
}

EXPORT(render) void render(const Render *job) {
    if (job->cloth) draw_cloth(job->cloth);
    draw_triangles(job);
    int size = job->columns * job->rows;
    __builtin_memset(job->paint, 0, size * sizeof(f4));
    __builtin_memset(job->alpha, 0, size * sizeof(float));
    if (job->parts) __builtin_memset(job->parts, 0, size);
    float ratio = (float)job->canvas.columns / job->wide;
    for (int x = 0; x < job->wide; x++) job->taps[x] = tap(x, job->canvas.columns, ratio);
    Blur blur = {job->rows, job->columns, 4, job->blur, job->reach, job->spans};
    for (int y = 0; y < job->rows; y++) blur.spans[y] = NONE;
    for (int y = 0; y < job->tall; y++) blur.spans[y + job->up] = paint_row(job, y);
    BlurPlan plan = plan_blur(blur);
    blurred(blur, plan, (float *)job->paint, (float *)job->paint_room);
    blur.channels = 1;
    blurred(blur, plan, job->alpha, job->alpha_room);
}

EXPORT(size_of_render) int size_of_render(void) { return sizeof(Render); }
