// Blurs across into `room`, then down into the picture, only where something is. Each number is one sum in a fixed order.
#include "blur.h"

Span support(const float *row, int columns) {
    Span span = {0, columns - 1};
    while (span.from < columns && row[span.from] == 0) span.from++;
    while (span.to > span.from && row[span.to] == 0) span.to--;
    return span.from < columns ? span : NONE;
}

// For each row the columns that are not 0 in the end, and those of which the blur down of any row reads.
typedef struct { const Span *down, *read; } Plan;

static Plan plan(Blur blur) {
    Span *across = blur.spans, *down = across + blur.rows, *read = down + blur.rows;
    for (int y = 0; y < blur.rows; y++)
        if (!is_empty(across[y]))
            across[y] = (Span){greatest_of(across[y].from - blur.reach, 0),
                               least_of(across[y].to + blur.reach, blur.columns - 1)};
    for (int y = 0; y < blur.rows; y++) down[y] = joined_rows(across, blur.rows, y, blur.reach);
    for (int y = 0; y < blur.rows; y++) read[y] = joined_rows(down, blur.rows, y, blur.reach);
    return (Plan){down, read};
}

static float one_across(Blur blur, const float *row, int at) {
    const float *centre = blur.weights + blur.reach;
    int x = at / blur.channels, channel = at % blur.channels;
    float sum = row[at] * centre[0];
    for (int away = 1; away <= blur.reach; away++) {
        int before = greatest_of(x - away, 0), after = least_of(x + away, blur.columns - 1);
        sum += (row[before * blur.channels + channel] + row[after * blur.channels + channel]) * centre[away];
    }
    return sum;
}

static void row_across(Blur blur, Span span, const float *row, float *out) {
    const float *centre = blur.weights + blur.reach;
    int edge = blur.reach * blur.channels, length = blur.columns * blur.channels;
    for (int at = span.from * blur.channels; at < (span.to + 1) * blur.channels;) {
        if (at < edge || at + 3 + edge >= length) {
            out[at] = one_across(blur, row, at);
            at++;
            continue;
        }
        f4 sum = four_at(row + at) * all(centre[0]);
        for (int away = 1; away <= blur.reach; away++) {
            int by = away * blur.channels;
            sum += (four_at(row + at - by) + four_at(row + at + by)) * all(centre[away]);
        }
        put_four(out + at, sum);
        at += 4;
    }
}

static void row_down(Blur blur, Span span, int y, const float *room, float *out) {
    const float *centre = blur.weights + blur.reach;
    int length = blur.columns * blur.channels, end = (span.to + 1) * blur.channels;
    for (int at = span.from * blur.channels; at < end; at += 4) {
        f4 sum = four_at(room + y * length + at) * all(centre[0]);
        for (int away = 1; away <= blur.reach; away++) {
            int above = greatest_of(y - away, 0), below = least_of(y + away, blur.rows - 1);
            sum += (four_at(room + above * length + at) + four_at(room + below * length + at)) * all(centre[away]);
        }
        if (at + 4 <= end)
            put_four(out + at, sum);
        else
            for (int k = 0; at + k < end; k++) out[at + k] = sum[k];
    }
}

void blurred(Blur blur, float *picture, float *room) {
    Plan of = plan(blur);
    int length = blur.columns * blur.channels;
    for (int y = 0; y < blur.rows; y++)
        if (!is_empty(of.read[y])) row_across(blur, of.read[y], picture + y * length, room + y * length);
    for (int y = 0; y < blur.rows; y++)
        if (!is_empty(of.down[y])) row_down(blur, of.down[y], y, room, picture + y * length);
}
