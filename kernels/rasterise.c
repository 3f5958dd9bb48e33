// Rasterises triangles by rows. Source: scan conversion of polygons, Wylie et al. 1967.
#include "rasterise.h"

#define FLATTEST 1e-6f // twice the area, in pixels, below which a triangle is not drawn

static const f4 NOTHING = {0, 0, 0, -__builtin_inff()};

// A side of a triangle: x = at + slope * y. Triangles that share a side get the same numbers, and so no gap.
typedef struct { float at, slope; } Side;

static Side side_of(const float *upper, const float *lower) {
    float slope = (lower[0] - upper[0]) / (lower[1] - upper[1]);
    return (Side){upper[0] - slope * upper[1], slope};
}

// Make the pixels of a row defined that a triangle will draw on.
static inline void widen(Span *span, Span by, f4 *row) {
    if (is_empty(*span)) *span = (Span){by.from, by.from - 1};
    while (span->from > by.from) row[--span->from] = NOTHING;
    while (span->to < by.to) row[++span->to] = NOTHING;
}

// The values of a triangle as a plane over the picture.
typedef struct { f4 origin, right, down; } Plane;

static inline void draw_row(Canvas canvas, Plane plane, Span span, int y) {
    f4 *row = canvas.pixels + y * canvas.columns;
    widen(canvas.spans + y, span, row);
    f4 value = plane.origin + plane.right * all(span.from) + plane.down * all(y);
    for (int at = span.from; at <= span.to; at++, value += plane.right) {
        i4 nearer = value > row[at];
        row[at] = choose(__builtin_shufflevector(nearer, nearer, 3, 3, 3, 3), value, row[at]);
    }
}

// The rows first <= y <= last, between two sides; the ends of four rows are found at once.
static void draw_rows(Canvas canvas, Plane plane, Side a, Side b, int first, int last) {
    for (int y = first; y <= last; y += 4) {
        f4 rows = floats(whole(y) + FIRST_FOUR);
        f4 x = all(a.at) + all(a.slope) * rows, other = all(b.at) + all(b.slope) * rows;
        f4 low = clamped(ceilings(least4(x, other)), 0, canvas.columns);
        f4 high = clamped(floors(greatest4(x, other)), -1, canvas.columns - 1);
        i4 from = truncated(low), to = truncated(high);
        for (int k = 0; k < 4 && y + k <= last; k++)
            if (from[k] <= to[k]) draw_row(canvas, plane, (Span){from[k], to[k]}, y + k);
    }
}

static void draw(Canvas canvas, const float *corners, const float *values, const int *own) {
    int top = own[0], middle = own[1], bottom = own[2], swapped;
    if (corners[3 * middle + 1] < corners[3 * top + 1]) swapped = top, top = middle, middle = swapped;
    if (corners[3 * bottom + 1] < corners[3 * middle + 1]) swapped = middle, middle = bottom, bottom = swapped;
    if (corners[3 * middle + 1] < corners[3 * top + 1]) swapped = top, top = middle, middle = swapped;
    const float *a = corners + 3 * top, *b = corners + 3 * middle, *c = corners + 3 * bottom;
    const float *of_a = values + 3 * top, *of_b = values + 3 * middle, *of_c = values + 3 * bottom;
    float bx = b[0] - a[0], by = b[1] - a[1], cx = c[0] - a[0], cy = c[1] - a[1];
    float area = bx * cy - cx * by;
    int first = (int)__builtin_ceilf(greatest(a[1], 0)), last = (int)__builtin_floorf(least(c[1], canvas.rows - 1));
    if (!(__builtin_fabsf(area) >= FLATTEST) || first > last) return;
    f4 value = {of_a[0], of_a[1], of_a[2], a[2]};
    f4 to_b = (f4){of_b[0], of_b[1], of_b[2], b[2]} - value, to_c = (f4){of_c[0], of_c[1], of_c[2], c[2]} - value;
    Plane plane;
    plane.right = (to_b * all(cy) - to_c * all(by)) * all(1 / area);
    plane.down = (to_c * all(bx) - to_b * all(cx)) * all(1 / area);
    plane.origin = value - plane.right * all(a[0]) - plane.down * all(a[1]);
    Side whole_side = side_of(a, c);
    int turn = least_of((int)__builtin_ceilf(greatest(b[1], 0)), last + 1); // the first row of the lower half
    if (b[1] > a[1]) draw_rows(canvas, plane, whole_side, side_of(a, b), first, turn - 1);
    if (c[1] > b[1]) draw_rows(canvas, plane, whole_side, side_of(b, c), turn, last);
}

void clear_canvas(Canvas canvas) {
    for (int y = 0; y < canvas.rows; y++) canvas.spans[y] = NONE;
}

void rasterise(Canvas canvas, const float *corners, const float *values, const int *triangles, int count) {
    for (int at = 0; at < count; at++) draw(canvas, corners, values, triangles + 3 * at);
}

// A canvas alone, whose pixels are all defined at the end.
typedef struct {
    Canvas canvas;
    const float *corners, *values;
    const int *triangles;
    int count;
} Rasterise;

EXPORT(rasterise) void rasterise_alone(const Rasterise *job) {
    const Canvas *canvas = &job->canvas;
    clear_canvas(*canvas);
    rasterise(*canvas, job->corners, job->values, job->triangles, job->count);
    for (int y = 0; y < canvas->rows; y++)
        for (int x = 0; x < canvas->columns; x++)
            if (x < canvas->spans[y].from || x > canvas->spans[y].to) canvas->pixels[y * canvas->columns + x] = NOTHING;
}

EXPORT(size_of_rasterise) int size_of_rasterise(void) { return sizeof(Rasterise); }
