// Places a mask's mesh in the picture: deformed, projected, with thick straps, moved as the plan says, below the eyelids;
// and the parts of the head that hide it.
#include "vectors.h"

#define THICK 0.65 // thickness of a strap seen on its edge, as a share of its width
#define FINEST 0.8 // least width, in pixels, that is rendered without gaps
#define ROOT 0.5   // share of its thickness that a strap has where it begins, welded flat to the cloth
#define FLAT 4     // pieces over which it reaches its thickness

typedef double d2 __attribute__((vector_size(16)));
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
    double away;                         // see `ear_and_head_occlusion.AWAY`
    int count, straps_from;
    int straps, pieces, breadth; // each strap has pieces x breadth points
    Place *points;               // the result
    int modes, keys;             // numbers of deformations and of coefficients of the shape warp
    const float *weights;        // of the deformations
    const float *offsets;        // (modes, count, 3) in head coordinates
    float *deformed;             // memory for their sums, (count, 3)
    const d2 *warp;              // the coefficients
    const double *basis;         // (count, keys), see `ShapeWarp`
    const double *follows;       // share of the plan's move that each point follows
    const double *widths;        // of straps, in eye distances
    Across *across;              // memory for the pieces of a strap
    const double *below_lids;    // (lids, columns), see `MaskMesh.below_lids`
    const Vector *eyes;          // the eyelids' landmarks
    int lids, columns, landmarks; // no lids if the mask need not stay below them
    int triangles;               // of the mesh
    const int *corners;          // three of each
    const Place *outward;        // see `MaskMesh.outward`
    int *seen;                   // memory for as many triangles: the result, those that face the viewer
    int head_count;              // points of the head that hide the mask
    Place *head;                 // the result
    const int *of_head;          // which of the head's points they are
    const Place *head_points;    // in head coordinates
    const double *head_basis, *back; // see `ShapeWarp` and `MaskMesh.back`
    int picture_columns, picture_rows;
    long long *pixels;           // the result: for each of the straps' points the number of the picture's pixel nearest
    int *found;                  // the result: the number of seen triangles, and the whole numbers at or below the least
                                 // x and y of their corners, and the greatest
} Placing;

static inline double most(double a, double b) { return a > b ? a : b; }
static inline double length(Vector v) { return __builtin_sqrt(v.x * v.x + v.y * v.y); }

static inline double along(const double *a, Place b) { return a[0] * b.x + a[1] * b.y + a[2] * b.depth; }

// In the picture.
static Place projected(const Placing *job, Place p, const double *basis) {
    d2 first = {0}, second = {0}, third = {0}, last = {0}; // side by side: each sum waits for the one before
    int key = 0;
    for (; key + 4 <= job->keys; key += 4) {
        const d2 *by = job->warp + key;
        const double *of = basis + key;
        first += by[0] * (d2){of[0], of[0]}, second += by[1] * (d2){of[1], of[1]};
        third += by[2] * (d2){of[2], of[2]}, last += by[3] * (d2){of[3], of[3]};
    }
    for (; key < job->keys; key++) first += job->warp[key] * (d2){basis[key], basis[key]};
    d2 warp = (first + second) + (third + last);
    const double *turn = job->rotation;
    return (Place){job->scale * along(turn, p) + job->shift[0] + warp[0],
                   job->scale * along(turn + 3, p) + job->shift[1] + warp[1], job->scale * along(turn + 6, p)};
}

static void project(const Placing *job) {
    for (int at = 0; at < job->count; at++) {
        const float *of = job->deformed + 3 * at;
        job->points[at] = projected(job, (Place){of[0], of[1], of[2]}, job->basis + at * job->keys);
    }
}

static void project_head(const Placing *job) {
    for (int at = 0; at < job->head_count; at++) {
        int of = job->of_head[at];
        job->head[at] = projected(job, job->head_points[of], job->head_basis + of * job->keys);
        job->head[at].depth -= job->scale * job->back[of];
    }
}

static inline int faces(const Placing *job, int point) {
    return along(job->rotation + 6, job->outward[point]) > job->away;
}

// The triangles on this side of the head, and where they lie.
static void find_seen(const Placing *job) {
    float left = 1e9f, top = 1e9f, right = -1e9f, bottom = -1e9f;
    int count = 0;
    for (int at = 0; at < job->triangles; at++) {
        const int *own = job->corners + 3 * at;
        if (!faces(job, own[0]) && !faces(job, own[1]) && !faces(job, own[2])) continue;
        for (int k = 0; k < 3; k++) {
            float x = job->points[own[k]].x, y = job->points[own[k]].y;
            left = least(left, x), top = least(top, y), right = greatest(right, x), bottom = greatest(bottom, y);
            job->seen[3 * count + k] = own[k];
        }
        count++;
    }
    float box[4] = {left, top, right, bottom};
    job->found[0] = count;
    for (int k = 0; k < 4; k++) job->found[1 + k] = (int)__builtin_floorf(box[k]);
}

static inline double within(double v, int size) { return v > 0 ? (v < size - 1 ? v : size - 1) : 0; }

static void find_pixels(const Placing *job) {
    for (int at = job->straps_from; at < job->count; at++) {
        int column = within(__builtin_rint(job->points[at].x), job->picture_columns);
        int row = within(__builtin_rint(job->points[at].y), job->picture_rows);
        job->pixels[at - job->straps_from] = row * job->picture_columns + column;
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
    weighted_sum(job->offsets, job->weights, job->modes, 3 * job->count, job->deformed);
    project(job);
    for (int strap = 0; strap < job->straps; strap++)
        thicken(job, job->points + job->straps_from + strap * job->pieces * job->breadth, job->widths[strap]);
    move(job);
    if (job->lids) keep_below_lids(job);
    project_head(job);
    find_seen(job);
    find_pixels(job);
}

EXPORT(size_of_place) int size_of_place(void) { return sizeof(Placing); }
