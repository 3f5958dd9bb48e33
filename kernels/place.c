// Places a mask's mesh in the picture: projected, with thick straps, moved as the plan says, below the eyelids.
#include "vectors.h"

#define THICK 0.65 // thickness of a strap seen on its edge, as a share of its width
#define FINEST 0.8 // least width, in pixels, that is rendered without gaps
#define ROOT 0.5   // share of its thickness that a strap has where it begins, welded flat to the cloth
#define FLAT 4     // pieces over which it reaches its thickness

typedef struct { double x, y; } Vector;
typedef struct { double x, y, depth; } Place;

// One piece of a strap: the unit vector across it, to its right, and half of its width along that.
typedef struct { Vector normal; double half; } Across;

typedef struct {
    double scale, rotation[9], shift[2]; // of the camera
    double wide;                         // factor on the width of straps
    double turn[2], moved[2];            // of the plan about the picture's origin: x and y of where (1, 0) goes, less
                                         // (1, 0); and where the origin goes
    double mouth[2], reach;              // stretch downward per pixel below the mouth
    double gap;                          // pixels from the eyelids to the top edge, at least
    int count, straps_from;
    int straps, pieces, breadth; // each strap has pieces x breadth points
    Place *points;               // in head coordinates; the result takes their place
    const Vector *warp;          // shift of each point
    const double *follows;       // share of the plan's move that each point follows
    const double *widths;        // of straps, in eye distances
    Across *across;              // memory for the pieces of a strap
    const double *below_lids;    // (lids, columns), see `MaskMesh.below_lids`
    const Vector *eyes;          // the eyelids' landmarks
    int lids, columns, landmarks; // no lids if the mask need not stay below them
} Placing;

static inline double most(double a, double b) { return a > b ? a : b; }
static inline double length(Vector v) { return __builtin_sqrt(v.x * v.x + v.y * v.y); }

static void project(const Placing *job) {
    const double *turn = job->rotation;
    for (int at = 0; at < job->count; at++) {
        Place p = job->points[at], out;
        out.x = job->scale * (turn[0] * p.x + turn[1] * p.y + turn[2] * p.depth) + job->shift[0] + job->warp[at].x;
        out.y = job->scale * (turn[3] * p.x + turn[4] * p.y + turn[5] * p.depth) + job->shift[1] + job->warp[at].y;
        out.depth = job->scale * (turn[6] * p.x + turn[7] * p.y + turn[8] * p.depth);
        job->points[at] = out;
    }
}

static Across across_of(const Placing *job, const Place *strap, int piece) {
    int last = job->breadth - 1, before = greatest_of(piece - 1, 0), after = least_of(piece + 1, job->pieces - 1);
    const Place *from = strap + before * job->breadth, *to = strap + after * job->breadth;
    Vector along = {to[0].x + to[last].x - (from[0].x + from[last].x),
                    to[0].y + to[last].y - (from[0].y + from[last].y)};
    double far = most(length(along), 1e-6);
    Vector normal = {-along.y / far, along.x / far};
    const Place *own = strap + piece * job->breadth;
    return (Across){normal, ((own[last].x - own[0].x) * normal.x + (own[last].y - own[0].y) * normal.y) / 2};
}

// Widen a strap that is seen on its edge to its thickness, and by the plan's factor, but not to less than is rendered
// without gaps.
static void thicken(const Placing *job, Place *strap, double width) {
    double sum = 0;
    for (int piece = 0; piece < job->pieces; piece++) {
        job->across[piece] = across_of(job, strap, piece);
        sum += job->across[piece].half;
    }
    // One sign for the whole strap: where it turns its other side to the viewer, its edges would cross in a point.
    double side = __builtin_copysign(1.0, sum);
    for (int piece = 0; piece < job->pieces; piece++) {
        double share = ROOT + (1 - ROOT) / FLAT * piece, half = job->across[piece].half;
        double thick = THICK / 2 * job->scale * width * (share < 1 ? share : 1);
        double wide = most(job->wide * most(__builtin_fabs(half), thick), FINEST / 2);
        double add = side * wide - half;
        Place *left = strap + piece * job->breadth, *right = left + job->breadth - 1;
        left->x -= add * job->across[piece].normal.x, left->y -= add * job->across[piece].normal.y;
        right->x += add * job->across[piece].normal.x, right->y += add * job->across[piece].normal.y;
    }
}

// As the plan moves and turns the mask, and farther down below the mouth. Straps end where they did: ears do not move.
static void move(const Placing *job) {
    Vector down = {job->rotation[1] * job->scale, job->rotation[4] * job->scale};
    double squared = down.x * down.x + down.y * down.y;
    for (int at = 0; at < job->count; at++) {
        Place *p = job->points + at;
        double x = p->x, y = p->y, follows = job->follows[at];
        p->x += (x * job->turn[0] - y * job->turn[1] + job->moved[0]) * follows;
        p->y += (x * job->turn[1] + y * job->turn[0] + job->moved[1]) * follows;
        if (job->reach <= 0) continue;
        double below = ((p->x - job->mouth[0]) * down.x + (p->y - job->mouth[1]) * down.y) / squared;
        double far = job->reach * follows * most(below, 0);
        p->x += far * down.x, p->y += far * down.y;
    }
}

// Down the face, until the top edge is below the eyelids.
static void keep_below_lids(const Placing *job) {
    Vector down = {job->rotation[1], job->rotation[4]};
    double room = __builtin_inf();
    for (int lid = 0; lid < job->lids; lid++) {
        const double *weights = job->below_lids + lid * job->columns;
        Vector eye = job->eyes[lid % job->landmarks];
        double edge = 0;
        for (int at = 0; at < job->columns; at++)
            edge += weights[at] * (job->points[at].x * down.x + job->points[at].y * down.y);
        double own = edge - (eye.x * down.x + eye.y * down.y);
        room = own < room ? own : room;
    }
    double far = job->gap - room;
    if (!(far > 0)) return;
    for (int at = 0; at < job->count; at++) {
        job->points[at].x += job->follows[at] * far * down.x;
        job->points[at].y += job->follows[at] * far * down.y;
    }
}

EXPORT(place) void place(const Placing *job) {
    project(job);
    for (int strap = 0; strap < job->straps; strap++)
        thicken(job, job->points + job->straps_from + strap * job->pieces * job->breadth, job->widths[strap]);
    move(job);
    if (job->lids) keep_below_lids(job);
}

EXPORT(size_of_place) int size_of_place(void) { return sizeof(Placing); }
