// Runs of columns.
#pragma once
#include "vectors.h"

// Columns from <= x <= to; none if from > to.
typedef struct { int from, to; } Span;

static const Span NONE = {1 << 30, -1};

static inline int is_empty(Span span) { return span.from > span.to; }

static inline Span joined(Span a, Span b) { return (Span){least_of(a.from, b.from), greatest_of(a.to, b.to)}; }

// All columns of the rows from y - reach to y + reach.
static inline Span joined_rows(const Span *spans, int rows, int y, int reach) {
    Span all_of = NONE;
    for (int at = greatest_of(y - reach, 0); at <= least_of(y + reach, rows - 1); at++)
        all_of = joined(all_of, spans[at]);
    return all_of;
}
