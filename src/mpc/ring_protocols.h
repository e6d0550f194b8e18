/*
 * ring_protocols.h
 *	  The protocols of arith64.h and arith.h, written once for both rings.
 *
 * arith64.c and arith.c include this file, each with its ring:
 *
 *	  ELEMENT			uint64 or uint128
 *	  VECTOR			Shared64 or Shared
 *	  NAME(x)			arith64_x or arith_x
 *	  LOOP(x)			vector_x64 or vector_x128
 *	  WIRE, RANDOM		between elements and bytes; elements of a stream
 *
 * Letters as in Araki et al., CCS 2016, section 2: party i holds
 * (x_i, x_(i+1)).  Every product of two secrets is computed in
 * multiply_block(), dot_products() or known_block(), and every one is shown
 * to `watch`: this is where a check against cheating sees all of them.
 */
#ifdef ELEMENT

/* 16 KB a stream: long enough for AES to run at speed, short enough for the cache. */
#define BLOCK	(16384 / sizeof(ELEMENT))

/* Random elements of one block; wiped at the end of a round. */
typedef struct Scratch
{
	ELEMENT		alpha[BLOCK];
	ELEMENT		beta[BLOCK];
} Scratch;

typedef struct Product
{
	VECTOR	   *z;
	const VECTOR *x;
	const VECTOR *y;
	const ELEMENT *known;
	Scratch    *scratch;
} Product;

static void
wipe_scratch(Scratch *scratch, size_t n)
{
	wipe(scratch->alpha, Min(n, BLOCK) * sizeof(ELEMENT));
	wipe(scratch->beta, Min(n, BLOCK) * sizeof(ELEMENT));
}

/* Factors before, and the product after it was computed. */
static void
watch_factors(Party *self, WatchedKind kind, const Product *p, size_t start, size_t len)
{
	Watched		what = {.kind = kind, .bytes = sizeof(ELEMENT), .n = len};

	if (self->watch == NULL)
		return;
	what.x_mine = p->x->mine + start;
	what.x_next = p->x->next + start;
	if (p->y)
	{
		size_t		width = p->y->n > 0 ? p->x->n / p->y->n : 1;

		what.y_mine = p->y->mine + start / width;
		what.y_next = p->y->next + start / width;
	}
	else if (p->known)
		what.y_mine = p->known + start;
	self->watch(self, &what);
}

static void
watch_product(Party *self, WatchedKind kind, const Product *p, size_t start, size_t len)
{
	if (self->watch)
		self->watch(self, &(Watched)
					{
						.kind = kind, .bytes = sizeof(ELEMENT), .n = len, .z_mine = p->z->mine + start
					});
}

/*
 * z_i = x_i y_i + x_i y_(i+1) + x_(i+1) y_i + alpha_i, for the elements from
 * start on.  alpha_i = F(seed i) - F(seed i + 1) sums to zero over the
 * parties and hides the cross terms from the previous one.
 */
static void
multiply_block(Party *self, const Product *p, size_t start, size_t len)
{
	ELEMENT    *alpha = p->scratch->alpha;
	ELEMENT    *beta = p->scratch->beta;
	const VECTOR *x = p->x;
	const VECTOR *y = p->y;
	size_t		width = x->n / y->n;

	RANDOM(self->prg_mine, alpha, len);
	RANDOM(self->prg_next, beta, len);
	if (width == 1)
		LOOP(product) (p->z->mine + start, x->mine + start, x->next + start,
					   y->mine + start, y->next + start, alpha, beta, len);
	else
	{
		for (size_t i = 0; i < len;)
		{
			size_t		row = (start + i) / width;
			size_t		part = Min(len - i, (row + 1) * width - (start + i));

			LOOP(product_one) (p->z->mine + start + i, x->mine + start + i, x->next + start + i,
							   y->mine[row], y->next[row], alpha + i, beta + i, part);
			i += part;
		}
	}
}

/* Only where elements have to be turned around are they copied before they are sent. */
#ifdef WORDS_BIGENDIAN
#define SPACE	true
#else
#define SPACE	false
#endif

/* Elements from start on as bytes: where they lie, or in space if the wire has another order. */
static const void *
to_wire(ELEMENT *elements, size_t start, size_t len, void *space)
{
#ifdef WORDS_BIGENDIAN
	memcpy(space, elements + start, len * sizeof(ELEMENT));
	WIRE(space, len);
	return space;
#else
	return elements + start;
#endif
}

static const void *
multiply_make(Party *self, void *arg, size_t start, size_t len, void *space)
{
	Product    *p = arg;

	start /= sizeof(ELEMENT);
	len /= sizeof(ELEMENT);
	watch_factors(self, WATCH_MULTIPLY, p, start, len);
	for (size_t i = 0; i < len; i += BLOCK)
		multiply_block(self, p, start + i, Min(BLOCK, len - i));
	watch_product(self, WATCH_MULTIPLY, p, start, len);
	return to_wire(p->z->mine, start, len, space);
}

static void
take_next(Party *self, void *arg, size_t start, size_t len, const void *bytes)
{
	Product    *p = arg;
	ELEMENT    *to = p->z->next + start / sizeof(ELEMENT);

	memcpy(to, bytes, len);
	WIRE(to, len / sizeof(ELEMENT));
}

void
NAME(multiply_rows) (Party *self, VECTOR *z, const VECTOR *x, const VECTOR *y)
{
	Scratch		scratch;
	Product		p = {z, x, y, NULL, &scratch};
	size_t		bytes = x->n * sizeof(ELEMENT);
	PartyStream stream = {bytes, bytes, multiply_make, take_next, &p, SPACE};

	Assert(z->n == x->n);
	Assert(y->n == 0 ? x->n == 0 : x->n % y->n == 0);
	party_stream(self, &stream);
	wipe_scratch(&scratch, x->n);
}

void
NAME(multiply) (Party *self, VECTOR *z, const VECTOR *x, const VECTOR *y)
{
	Assert(x->n == y->n);
	NAME(multiply_rows) (self, z, x, y);
}

void
NAME(square) (Party *self, VECTOR *z, const VECTOR *x)
{
	NAME(multiply_rows) (self, z, x, x);
}

/* z_i = x_i + alpha_i: the same value in shares that have nothing of the old ones. */
static const void *
refresh_make(Party *self, void *arg, size_t start, size_t len, void *space)
{
	Product    *p = arg;

	start /= sizeof(ELEMENT);
	len /= sizeof(ELEMENT);
	for (size_t i = 0; i < len; i += BLOCK)
	{
		size_t		part = Min(BLOCK, len - i);

		RANDOM(self->prg_mine, p->scratch->alpha, part);
		RANDOM(self->prg_next, p->scratch->beta, part);
		LOOP(linear) (p->scratch->alpha, 1, p->scratch->alpha, -1, p->scratch->beta, part);
		LOOP(linear) (p->z->mine + start + i, 1, p->x->mine + start + i, 1, p->scratch->alpha, part);
	}
	return to_wire(p->z->mine, start, len, space);
}

void
NAME(refresh) (Party *self, VECTOR *z, const VECTOR *x)
{
	Scratch		scratch;
	Product		p = {z, x, NULL, NULL, &scratch};
	size_t		bytes = x->n * sizeof(ELEMENT);
	PartyStream stream = {bytes, bytes, refresh_make, take_next, &p, SPACE};

	Assert(z->n == x->n);
	party_stream(self, &stream);
	wipe_scratch(&scratch, x->n);
}

/* z_i as above, summed before anything is sent: one alpha for each sum. */
static void
dot_products(Party *self, VECTOR *z, const VECTOR *x, const VECTOR *y)
{
	size_t		len = z->n > 0 ? x->n / z->n : 0;
	ELEMENT    *beta = vector_alloc(z->n * sizeof(ELEMENT));

	RANDOM(self->prg_mine, z->mine, z->n);
	RANDOM(self->prg_next, beta, z->n);
	for (size_t k = 0; k < z->n; k++)
	{
		Product		p = {z, x, y, NULL};

		watch_factors(self, WATCH_DOT, &p, k * len, len);
		z->mine[k] += LOOP(dot) (x->mine + k * len, x->next + k * len,
								 y->mine + k * len, y->next + k * len, len) - beta[k];
		watch_product(self, WATCH_DOT, &p, k, 1);
	}
	vector_free(beta, z->n * sizeof(ELEMENT));
}

void
NAME(dot) (Party *self, VECTOR *z, const VECTOR *x, const VECTOR *y)
{
	size_t		bytes = z->n * sizeof(ELEMENT);

	Assert(x->n == y->n && (z->n == 0 || x->n % z->n == 0));
	dot_products(self, z, x, y);
	WIRE(z->mine, z->n);
	party_round(self, z->mine, bytes, z->next, bytes);
	WIRE(z->mine, z->n);
	WIRE(z->next, z->n);
}

void
NAME(sum) (VECTOR *z, const VECTOR *x)
{
	size_t		len = z->n > 0 ? x->n / z->n : 0;

	Assert(z->n == 0 || x->n % z->n == 0);
	for (size_t k = 0; k < z->n; k++)
	{
		z->mine[k] = LOOP(sum) (x->mine + k * len, len);
		z->next[k] = LOOP(sum) (x->next + k * len, len);
	}
}

/* The first summand is c, the others are zero. */
void
NAME(constant) (const Party *self, VECTOR *z, ELEMENT c)
{
	for (size_t i = 0; i < z->n; i++)
	{
		z->mine[i] = self->index == 0 ? c : 0;
		z->next[i] = self->index == 2 ? c : 0;
	}
}

void
NAME(public) (const Party *self, VECTOR *z, const ELEMENT *values)
{
	memset(z->mine, 0, z->n * sizeof(ELEMENT));
	memset(z->next, 0, z->n * sizeof(ELEMENT));
	if (self->index != 1)
		memcpy(self->index == 0 ? z->mine : z->next, values, z->n * sizeof(ELEMENT));
}

void
NAME(add_constant) (const Party *self, VECTOR *z, const VECTOR *x, ELEMENT c)
{
	ELEMENT		to_mine = self->index == 0 ? c : 0;
	ELEMENT		to_next = self->index == 2 ? c : 0;

	Assert(z->n == x->n);
	for (size_t i = 0; i < z->n; i++)
	{
		z->mine[i] = x->mine[i] + to_mine;
		z->next[i] = x->next[i] + to_next;
	}
}

/* ---- input ---- */

typedef struct Input
{
	VECTOR	   *z;
	const ELEMENT *values;
} Input;

static void
input_block(Party *self, const Input *in, size_t at, size_t len)
{
	VECTOR	   *z = in->z;

	RANDOM(self->prg_next, z->next + at, len);
	LOOP(linear) (z->mine + at, 1, in->values + at, -1, z->next + at, len);
}

/* z_(from+1) is a stream, z_from = values - z_(from+1). */
static const void *
input_make(Party *self, void *arg, size_t start, size_t len, void *space)
{
	Input	   *in = arg;

	if (in->values == NULL)
		return NULL;
	start /= sizeof(ELEMENT);
	len /= sizeof(ELEMENT);
	for (size_t i = 0; i < len; i += BLOCK)
		input_block(self, in, start + i, Min(BLOCK, len - i));
	return to_wire(in->z->mine, start, len, space);
}

static void
input_take(Party *self, void *arg, size_t start, size_t len, const void *bytes)
{
	Product		p = {((Input *) arg)->z};

	take_next(self, &p, start, len, bytes);
}

static void
watch_input(Party *self, const VECTOR *z, int from)
{
	if (self->watch)
		self->watch(self, &(Watched)
					{
						.kind = WATCH_INPUT, .party = from, .bytes = sizeof(ELEMENT), .n = z->n,
						.x_mine = z->mine, .x_next = z->next
					});
}

void
NAME(input) (Party *self, VECTOR *z, int from, const ELEMENT *values)
{
	Input		in = {z, values};
	size_t		bytes = z->n * sizeof(ELEMENT);
	bool		sends = self->index == from;
	bool		receives = self->index == PARTY_PREV(from);
	PartyStream stream = {sends ? bytes : 0, receives ? bytes : 0, input_make, input_take, &in, SPACE};

	Assert((values != NULL) == sends);
	if (self->index == PARTY_NEXT(from))
	{
		RANDOM(self->prg_mine, z->mine, z->n);
		memset(z->next, 0, bytes);
	}
	if (receives)
		memset(z->mine, 0, bytes);
	party_stream(self, &stream);
	watch_input(self, z, from);
}

void
NAME(random) (Party *self, VECTOR *z)
{
	RANDOM(self->prg_mine, z->mine, z->n);
	RANDOM(self->prg_next, z->next, z->n);
}

void
NAME(zero) (Party *self, ELEMENT *r, size_t n)
{
	ELEMENT		beta[BLOCK];

	RANDOM(self->prg_mine, r, n);
	for (size_t start = 0; start < n; start += BLOCK)
	{
		size_t		len = Min(BLOCK, n - start);

		RANDOM(self->prg_next, beta, len);
		LOOP(linear) (r + start, 1, r + start, -1, beta, len);
	}
	wipe(beta, sizeof(beta));
}

/* ---- opening ---- */

static void
open_ring(Party *self, int learners, ELEMENT *values, const VECTOR *x)
{
	size_t		bytes = x->n * sizeof(ELEMENT);
	bool		learns = open_learns(self, learners);

	Assert((values != NULL) == learns);
	WIRE(x->mine, x->n);
	WIRE(x->next, x->n);
	open_summands(self, learners, x->mine, x->next, values, bytes);
	WIRE(x->mine, x->n);
	WIRE(x->next, x->n);
	if (!learns)
		return;
	WIRE(values, x->n);
	LOOP(linear) (values, 1, values, 1, x->mine, x->n);
	LOOP(linear) (values, 1, values, 1, x->next, x->n);
}

void
NAME(open) (Party *self, ELEMENT *values, const VECTOR *x)
{
	open_ring(self, LEARN_ALL, values, x);
}

void
NAME(open_to) (Party *self, int to, ELEMENT *values, const VECTOR *x)
{
	open_ring(self, LEARN_ONE(to), values, x);
}

/* ---- a factor that two parties know ---- */

/*
 * y = (0, 0, y2).  Of the nine products only y2 x1 (party 1) and y2 (x2 + x0)
 * (party 2) are not zero.  F(seed 0) and F(seed 2) hide them:
 *
 *	  z0 = F(seed 0)	z1 = y2 x1 + F(seed 2)	z2 = y2 (x2 + x0) - F(seed 0) - F(seed 2)
 *
 * Party 0 does not know seed 2, and party 1 does not know seed 0.  z0 needs no message.
 */
static void
known_block(Party *self, const Product *p, size_t start, size_t len)
{
	static const ELEMENT zeros[BLOCK] = {0};
	ELEMENT    *sum = p->scratch->alpha;
	ELEMENT    *minus = p->scratch->beta;
	VECTOR	   *z = p->z;

	switch (self->index)
	{
		case 0:
			/* z->next may be x->next, which nobody here needs. */
			RANDOM(self->prg_mine, z->mine + start, len);
			break;
		case 1:
			RANDOM(self->prg_next, sum, len);
			LOOP(masked) (z->mine + start, p->known + start, p->x->mine + start, sum, zeros, len);
			break;
		case 2:
			LOOP(linear) (sum, 1, p->x->mine + start, 1, p->x->next + start, len);
			RANDOM(self->prg_next, z->next + start, len);
			RANDOM(self->prg_mine, minus, len);
			LOOP(linear) (minus, 1, minus, 1, z->next + start, len);
			LOOP(masked) (z->mine + start, p->known + start, sum, zeros, minus, len);
			break;
	}
}

static const void *
known_make(Party *self, void *arg, size_t start, size_t len, void *space)
{
	Product    *p = arg;

	start /= sizeof(ELEMENT);
	len /= sizeof(ELEMENT);
	watch_factors(self, WATCH_KNOWN, p, start, len);
	for (size_t i = 0; i < len; i += BLOCK)
		known_block(self, p, start + i, Min(BLOCK, len - i));
	watch_product(self, WATCH_KNOWN, p, start, len);
	return self->index == 0 ? NULL : to_wire(p->z->mine, start, len, space);
}

void
NAME(multiply_known) (Party *self, VECTOR *z, const VECTOR *x, const ELEMENT *known)
{
	Scratch		scratch;
	Product		p = {z, x, NULL, known, &scratch};
	size_t		bytes = x->n * sizeof(ELEMENT);
	PartyStream stream = {self->index == 0 ? 0 : bytes, self->index == 2 ? 0 : bytes,
	known_make, take_next, &p, SPACE};

	Assert(z->n == x->n);
	Assert((known == NULL) == (self->index == 0));
	party_stream(self, &stream);
	if (self->index != 0)
		wipe_scratch(&scratch, x->n);
}

/* What a message of input, or of a product with a known factor, is made of; it is sent by others. */
void
NAME(input_begin) (Party *self, VECTOR *z, const ELEMENT *values)
{
	Input		in = {z, values};
	size_t		bytes = z->n * sizeof(ELEMENT);

	if (self->index == 0)
	{
		for (size_t v = 0; v < z->n; v += BLOCK)
			input_block(self, &in, v, Min(BLOCK, z->n - v));
	}
	else if (self->index == 1)
	{
		RANDOM(self->prg_mine, z->mine, z->n);
		memset(z->next, 0, bytes);
	}
	else
		memset(z->mine, 0, bytes);
}

void
NAME(known_begin) (Party *self, VECTOR *z, const VECTOR *x, const ELEMENT *known)
{
	Scratch		scratch;
	Product		p = {z, x, NULL, known, &scratch};

	watch_factors(self, WATCH_KNOWN, &p, 0, x->n);
	for (size_t i = 0; i < x->n; i += BLOCK)
		known_block(self, &p, i, Min(BLOCK, x->n - i));
	watch_product(self, WATCH_KNOWN, &p, 0, x->n);
	if (self->index != 0)
		wipe_scratch(&scratch, x->n);
}

/*
 * Both in one round: party 0 shares s, and u = x * known.  They do not meet:
 * of s party 0 sends and party 2 receives, of u parties 1 and 2 send and
 * parties 0 and 1 receive.
 */
typedef struct Both
{
	Input		s;
	Product		u;
} Both;

static const void *
both_make(Party *self, void *arg, size_t start, size_t len, void *space)
{
	Both	   *both = arg;

	if (self->index != 0)
		return known_make(self, &both->u, start, len, space);
	known_make(self, &both->u, start, len, NULL);
	return input_make(self, &both->s, start, len, space);
}

static void
both_take(Party *self, void *arg, size_t start, size_t len, const void *bytes)
{
	Both	   *both = arg;

	if (self->index == 2)
		input_take(self, &both->s, start, len, bytes);
	else
		take_next(self, &both->u, start, len, bytes);
}

void
NAME(input_and_known) (Party *self, VECTOR *s, const ELEMENT *values,
					   VECTOR *u, const VECTOR *x, const ELEMENT *known)
{
	Scratch		scratch;
	Both		both = {{s, values}, {u, x, NULL, known, &scratch}};
	size_t		bytes = x->n * sizeof(ELEMENT);
	PartyStream stream = {bytes, bytes, both_make, both_take, &both, SPACE};

	Assert(s->n == x->n && u->n == x->n);
	Assert((values != NULL) == (self->index == 0) && (known != NULL) == (self->index != 0));
	if (self->index == 1)
	{
		RANDOM(self->prg_mine, s->mine, s->n);
		memset(s->next, 0, bytes);
	}
	if (self->index == 2)
		memset(s->mine, 0, bytes);
	party_stream(self, &stream);
	if (self->index != 0)
		wipe_scratch(&scratch, x->n);
	watch_input(self, s, 0);
}

#endif							/* ELEMENT */
