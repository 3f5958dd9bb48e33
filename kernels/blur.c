// Blurs across into `room`, then down into the picture, only where something is. Each pixel is one sum in a fixed order.
#include "blur.h"

#define INLINE static inline __attribute__((always_inline))

Span support(const float *row, int columns) {
    Span span = {0, columns - 1};
    while (span.from < columns && row[span.from] == 0) span.from++;
    while (span.to > span.from && row[span.to] == 0) span.to--;
    return span.from < columns ? span : NONE;
}

// After the rows' own columns: those that are not 0 when the rows are blurred across, when they are also blurred down,
// and those that the blur down of any row reads.
typedef struct { const Span *across, *down, *read; } Plan;

static Plan plan(Blur blur) {
    Span *across = blur.spans, *down = across + blur.rows, *read = down + blur.rows;
    for (int y = 0; y < blur.rows; y++)
        if (!is_empty(across[y]))
            across[y] = (Span){greatest_of(across[y].from - blur.reach, 0),
                               least_of(across[y].to + blur.reach, blur.columns - 1)};
    for (int y = 0; y < blur.rows; y++) down[y] = joined_rows(across, blur.rows, y, blur.reach);
    for (int y = 0; y < blur.rows; y++) read[y] = joined_rows(down, blur.rows, y, blur.reach);
    return (Plan){across, down, read};
}

INLINE f4 vector_across(const f4 *row, int x, int columns, const float *centre, int reach) {
    f4 sum = row[x] * all(centre[0]);
    int inside = x >= reach && x + reach < columns;
    for (int away = 1; away <= reach; away++) {
        int before = inside ? x - away : greatest_of(x - away, 0);
        int after = inside ? x + away : least_of(x + away, columns - 1);
        sum += (row[before] + row[after]) * all(centre[away]);
    }
    return sum;
}

INLINE void vectors_across(Blur blur, Plan of, const f4 *picture, f4 *room, int reach) {
    const float *centre = blur.weights + reach;
    for (int y = 0; y < blur.rows; y++) {
        const f4 *row = picture + y * blur.columns;
        f4 *out = room + y * blur.columns;
        for (int x = of.read[y].from; x <= of.read[y].to; x++)
            out[x] = x < of.across[y].from || x > of.across[y].to ? all(0)
                                                                  : vector_across(row, x, blur.columns, centre, reach);
    }
}

INLINE void vectors_down(Blur blur, Plan of, f4 *picture, const f4 *room, int reach) {
    const float *centre = blur.weights + reach;
    for (int y = 0; y < blur.rows; y++) {
        const f4 *row = room + y * blur.columns;
        for (int x = of.down[y].from; x <= of.down[y].to; x++) {
            f4 sum = row[x] * all(centre[0]);
            for (int away = 1; away <= reach; away++) {
                int above = greatest_of(y - away, 0) - y, below = least_of(y + away, blur.rows - 1) - y;
                sum += (row[above * blur.columns + x] + row[below * blur.columns + x]) * all(centre[away]);
            }
            picture[y * blur.columns + x] = sum;
        }
    }
}

void blur_vectors(Blur blur, f4 *picture, f4 *room) {
    Plan of = plan(blur);
    if (blur.reach == 2) { // the usual reach; loops of known length take half of the time
        vectors_across(blur, of, picture, room, 2);
        vectors_down(blur, of, picture, room, 2);
    } else {
        vectors_across(blur, of, picture, room, blur.reach);
        vectors_down(blur, of, picture, room, blur.reach);
    }
}

INLINE float number_across(const float *row, int x, int columns, const float *centre, int reach) {
    float sum = row[x] * centre[0];
    for (int away = 1; away <= reach; away++)
        sum += (row[greatest_of(x - away, 0)] + row[least_of(x + away, columns - 1)]) * centre[away];
    return sum;
}

// Four neighbours at a time where their sums do not reach over the edge.
INLINE void numbers_across(Blur blur, Plan of, const float *picture, float *room, int reach) {
    const float *centre = blur.weights + reach;
    for (int y = 0; y < blur.rows; y++) {
        const float *row = picture + y * blur.columns;
        float *out = room + y * blur.columns;
        for (int x = of.read[y].from; x <= of.read[y].to;) {
            if (x < reach || x + 3 + reach >= blur.columns) {
                out[x] = number_across(row, x, blur.columns, centre, reach);
                x++;
                continue;
            }
            f4 sum = four_at(row + x) * all(centre[0]);
            for (int away = 1; away <= reach; away++)
                sum += (four_at(row + x - away) + four_at(row + x + away)) * all(centre[away]);
            put_four(out + x, sum);
            x += 4;
        }
    }
}

INLINE void numbers_down(Blur blur, Plan of, float *picture, const float *room, int reach) {
    const float *centre = blur.weights + reach;
    for (int y = 0; y < blur.rows; y++) {
        const float *row = room + y * blur.columns;
        float *out = picture + y * blur.columns;
        for (int x = of.down[y].from; x <= of.down[y].to; x += 4) {
            f4 sum = four_at(row + x) * all(centre[0]);
            for (int away = 1; away <= reach; away++) {
                int above = greatest_of(y - away, 0) - y, below = least_of(y + away, blur.rows - 1) - y;
                f4 both = four_at(row + above * blur.columns + x) + four_at(row + below * blur.columns + x);
                sum += both * all(centre[away]);
            }
            if (x + 3 <= of.down[y].to)
                put_four(out + x, sum);
            else
                for (int k = 0; x + k <= of.down[y].to; k++) out[x + k] = sum[k];
        }
    }
}

void blur_numbers(Blur blur, float *picture, float *room) {
    Plan of = plan(blur);
    if (blur.reach == 2) {
        numbers_across(blur, of, picture, room, 2);
        numbers_down(blur, of, picture, room, 2);
    } else {
        numbers_across(blur, of, picture, room, blur.reach);
        numbers_down(blur, of, picture, room, blur.reach);
    }
}
