/*
 * countersign.pml
 *	  Can two checkpoints that contradict each other both be certified?
 *
 * N sites; site 0 is the log's own and may sign what it likes.  FAULTY of the
 * N lie: the log, and FAULTY - 1 (or, with HONEST_LOG, FAULTY) of its
 * witnesses, who countersign everything.  The others do what ledger/witness.c
 * does: store, durably, and only then countersign, and nothing that does not
 * extend what they hold.  They crash at any instant, between storing and
 * signing as well; what was not stored is lost, what is stored is not.
 *
 * There are two histories, which part after a common beginning: a checkpoint is
 * (history, size), and those with size 0 contradict nothing.  A checkpoint is
 * certified with NEEDED countersignatures, the log's own signature counted.
 *
 * With RECOVERY the log's site is honest, and may lose its disk once: it then
 * begins anew at size 0, asks ANSWERS of its witnesses, continues what the
 * longest of them holds, and signs nothing before.  What it had sent before the
 * loss may still arrive; a witness that was asked takes only what comes after
 * (its turn), unless the model is made with NO_TURNS.
 *
 * spin -DN=4 -DNEEDED=3 -DFAULTY=1 -a countersign.pml; test/model/run does it
 * for the bounds that must hold and for those that must not.
 */
#ifndef N
#define N		4
#endif
#ifndef NEEDED
#define NEEDED	3
#endif
#ifndef FAULTY
#define FAULTY	1
#endif
#ifndef ANSWERS
#define ANSWERS	(N - NEEDED + FAULTY + 1)
#endif
#define SIZES	2				/* of each history, above 0 */
#define WITNESSES (N - 1)

#ifdef RECOVERY
#define LYING	FAULTY			/* witnesses that lie */
#else
#define LYING	(FAULTY - 1)
#endif

/* What a witness holds, on disk: history and size; and what it has in mind only. */
byte held_history[WITNESSES];
byte held_size[WITNESSES];

/* Countersignatures that exist: bit w of [history * (SIZES + 1) + size]. */
byte signed_by[2 * (SIZES + 1)];

#define AT(h, s)		((h) * (SIZES + 1) + (s))
#define BIT(w)			(1 << (w))

#ifdef RECOVERY
byte log_history = 0;			/* of the one log */
byte log_size = 0;
byte log_signed[2 * (SIZES + 1)];
bool lost = false;
bool asking = false;
byte answers = 0;
byte best_history = 0;
byte best_size = 0;
byte asked = 0;					/* who has answered since the loss */
#endif

/* Of three witnesses at most. */
#define COUNT(bits)		(((bits) & 1) + (((bits) >> 1) & 1) + (((bits) >> 2) & 1))
#define CERTIFIED(h, s)	(COUNT(signed_by[AT(h, s)]) + 1 >= NEEDED && LOG_SIGNED(h, s))
#define NO_FORK			(!((CERTIFIED(0, 1) || CERTIFIED(0, 2)) && (CERTIFIED(1, 1) || CERTIFIED(1, 2))))

#ifdef RECOVERY
#define LOG_SIGNED(h, s)	(log_signed[AT(h, s)] > 0)
#define LIFE			(1 << lost)		/* 1 before the loss, 2 after it */
#ifdef NO_TURNS
#define IN_TURN(w, h, s)	true
#else
#define IN_TURN(w, h, s)	((asked & BIT(w)) == 0 || log_signed[AT(h, s)] >= 2)
#endif
#else
#define LOG_SIGNED(h, s)	true	/* it signs whatever is asked for */
#define IN_TURN(w, h, s)	true
#endif

/* Does the offered checkpoint extend what this witness holds? */
#define EXTENDS(w, h, s)	(held_size[w] == 0 || (held_history[w] == (h) && (s) >= held_size[w]))

proctype witness(byte w)
{
	byte h;
	byte s;
	bool lies = (w < LYING);

	do
	:: /* the log offers a checkpoint that it has signed */
		atomic {
			if
			:: h = 0
			:: h = 1
			fi;
			if
			:: s = 1
			:: s = 2
			fi;
			if
			:: !LOG_SIGNED(h, s) -> h = 0; s = 0; goto again
			:: else
			fi
		}
		if
		:: lies ->
			/* countersigns, and says to hold what it likes */
			atomic { signed_by[AT(h, s)] = signed_by[AT(h, s)] | BIT(w); assert(NO_FORK) }
#ifdef SIGN_FIRST
		:: !lies && EXTENDS(w, h, s) && IN_TURN(w, h, s) ->
			atomic { signed_by[AT(h, s)] = signed_by[AT(h, s)] | BIT(w); assert(NO_FORK) }
			if
			:: goto crash			/* before it is stored */
			:: skip
			fi;
			d_step { held_history[w] = h; held_size[w] = s }
#else
		:: atomic { !lies && EXTENDS(w, h, s) && IN_TURN(w, h, s) ->
				held_history[w] = h; held_size[w] = s }
			if
			:: goto crash			/* before it is signed */
			:: skip
			fi;
			atomic { signed_by[AT(h, s)] = signed_by[AT(h, s)] | BIT(w); assert(NO_FORK) }
#endif
		:: else					/* it does not extend what is held */
		fi;
crash:	h = 0; s = 0
again:	skip
	od
}

#ifdef RECOVERY
/* An honest log: appends, signs what it has, loses its disk once. */
proctype log()
{
	byte w;

	do
	:: !asking && log_size < SIZES ->
		atomic {
			/* After a loss that it does not notice, other entries come. */
			if
			:: log_size == 0 && lost -> log_history = 1
			:: else
			fi;
			log_size++;
			log_signed[AT(log_history, log_size)] = log_signed[AT(log_history, log_size)] | LIFE
		}
	:: !lost ->
		d_step {
			lost = true; log_size = 0; log_history = 0;
			asking = (ANSWERS > 0);
			answers = 0; asked = 0; best_history = 0; best_size = 0
		}
	:: asking && answers < ANSWERS ->
		atomic {
			if
			:: (asked & BIT(0)) == 0 -> w = 0
			:: WITNESSES > 1 && (asked & BIT(1)) == 0 -> w = 1
			:: WITNESSES > 2 && (asked & BIT(2)) == 0 -> w = 2
			fi;
			asked = asked | BIT(w);
			answers++;
			if
			:: w < LYING		/* says that it holds nothing */
			:: w >= LYING && held_size[w] > best_size ->
				best_size = held_size[w]; best_history = held_history[w]
			:: else
			fi;
			w = 0
		}
	:: asking && answers >= ANSWERS ->
		d_step {
			asking = false; log_size = best_size; log_history = best_history;
			log_signed[AT(log_history, log_size)] = log_signed[AT(log_history, log_size)] | LIFE;
			best_size = 0; best_history = 0; answers = 0
		}
	od
}
#endif

init
{
	byte w = 0;

	atomic {
		do
		:: w < WITNESSES -> run witness(w); w++
		:: else -> break
		od;
#ifdef RECOVERY
		run log()
#endif
	}
}
