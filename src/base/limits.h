/*
 * limits.h
 *	  Every size, count and wait that secmed bounds, each with its reason.
 */
#ifndef SECMED_LIMITS_H
#define SECMED_LIMITS_H

/* Version of what nodes say to each other; both sides must agree. */
#define PROTOCOL_VERSION		2

/*
 * Runs that one yes may be for: the passes of one fit.  R's glm stops after 25 iterations, whose
 * steps are halved now and then.  They come one after the other, so not for longer than this.
 */
#define PASSES_MAX				200
#define PASSES_HOURS			1

/* Yeses that one rule may want for a run: a committee. */
#define APPROVALS_MAX			10
/* Bytes of a reason that somebody gives for holding back or rejecting a run. */
#define REASON_BYTES_MAX		512
/* Of whom a question waits for, and of words about it: a screen of text. */
#define PROPOSAL_TEXT_MAX		2048
/* Questions of one coordinator that wait for people here: more is a flood. */
#define ASKED_MAX				1000

/* A document by which the price of a run is held: an address, hashes, three parties, one signature. */
#define PAYMENT_BYTES_MAX		2048

/* Replicated secret sharing is among three (Araki et al., CCS 2016). */
#define PARTIES					3

/* With two sites each could subtract its own part, so docs advise three. */
#define SITES_MIN				2
/* 20 sites keep sums of 121-bit values below 2^126 (share/wide.h). */
#define SITES_MAX				20

/* A node's name is a PostgreSQL identifier. */
#define NODE_NAME_BYTES_MAX		63

/* The whole answer, cells times ring elements: 8 MB of shares a site and party. */
#define ELEMENTS_MAX			(512 * 1024)
/* Group-by cells of one query; more is a table scan, not a statistic. */
#define CELLS_MAX				65536
/* Values in the public domain of one key. */
#define DOMAIN_VALUES_MAX		4096
/* PostgreSQL's own limit on target list entries is 1664. */
#define COMPONENTS_MAX			400
#define TABLES_MAX				16
#define KEYS_MAX				16
/* PostgreSQL's own limit on columns of a table. */
#define COLUMNS_MAX				1600
#define PARAMETERS_MAX			256

/* Columns of a regression's design, and sums of that many: 280 kB of shares a site and party. */
#define GLM_COLUMNS_MAX			64
#define VECTOR_SUMS_MAX			2158
/* Cells of a grid of times, 44 years of days; asked times: what the parties hold stays some 100 MB. */
#define ESTIMATE_CELLS_MAX		16384
#define ESTIMATE_TIMES_MAX		256
/* Rows of an arm that the parties divide by: less than 2^this. */
#define ESTIMATE_ROWS_BITS		22
/* Patients that there must be for each coefficient: DataSHIELD's rule (nfilter.glm = 0.33). */
#define GLM_PATIENTS_EACH		3

/* Answers that a receipt lists: 24 bytes each. */
#define EARLIER_RUNS_MAX		2000
/* Patients and differences that a site shares of them: 1 MB of shares to a party. */
#define EARLIER_ELEMENTS_MAX	65536
/* In so many days the same question is asked so often at most, unless a site says otherwise. */
#define REPEATS_DAYS			30
#define REPEATS_DEFAULT			7
/* Pairs of parts of one cell, over all cells: as many. */
#define PART_PAIRS_MAX			65536

/* A request (SQL, parameters, domains) of a run. */
#define REQUEST_BYTES_MAX		(1024 * 1024)
/* One message between two nodes: a party's inputs, 8 MB from each of 20 sites. */
#define MESSAGE_BYTES_MAX		(192 * 1024 * 1024)
/* What a site seals to one party: a million rows of 48 bytes; 8 MB of the largest vector of sums. */
#define PACKAGE_BYTES_MAX		(48 * 1024 * 1024)
/*
 * The piece in which messages travel: sealing one overlaps with sending the
 * one before, and neither end buffers more than a few.
 */
#define FRAME_BYTES_MAX			(256 * 1024)

/* What is shown of another node's error message, detail or hint. */
#define FOREIGN_TEXT_MAX		2000

/* One ledger entry; larger bodies go off the chain behind a commitment. */
#define LEDGER_ENTRY_BYTES_MAX	8192
/* The body in the side table that an entry commits to: SQL text. */
#define LEDGER_PAYLOAD_BYTES_MAX	(48 * 1024)
/*
 * Entries that may wait for the sequencer at once: in mode async those of some
 * flushes.  Most bodies are small; as many may be large as sessions ask at once.
 */
#define LEDGER_SLOTS			2048
#define LEDGER_PAYLOAD_SMALL	1024
#define LEDGER_LARGE_PAYLOADS	64
/* Entries of one transaction of the sequencer: some milliseconds of work. */
#define LEDGER_BATCH			256
/* Refused logins of a database make at most one entry in this time, with their number. */
#define LOGIN_ENTRY_MS			10000
/* Databases of one cluster that may be nodes. */
#define LEDGER_DATABASES		64
/* Databases of one cluster that have appended since the server's start. */
#define LEDGER_STANDINGS		1024

/* Runs that one server computes as a party at the same time. */
#define LINK_SLOTS				64
/* After its deadline a party waits so long, at most, to hear whom the next one misses. */
#define LINK_BLAME_MS			1000
/* Computations over shared tables that one server shows the progress of. */
#define PROGRESS_SLOTS			64
/* Bytes that wait in shared memory between two backends of a party. */
#define LINK_QUEUE_BYTES		(1024 * 1024)

/* Digits of a secret numeric: 10^18 is the last power of ten below 2^63. */
#define SECRET_DIGITS_MAX		18
/* Bytes of a secret text: its bits are sorted and compared as one number of 128. */
#define SECRET_TEXT_BYTES_MAX	16

/* An oblivious plan: nodes, columns of a relation, nodes of all expressions, and how deep these go. */
#define PLAN_NODES_MAX			64
#define RELATION_COLUMNS_MAX	256
#define EXPRESSIONS_MAX			8192
#define EXPRESSION_DEPTH_MAX	64
/* Percentiles are asked for in steps of 1/10000 at most: beyond, rows times denominator would need 63 bits. */
#define PERCENTILE_DENOMINATOR_MAX	10000
/* Quantiles of one column in a question, and of all groups together: each takes as long as reading the values. */
#define QUANTILES_MAX			32
#define QUANTILE_GOALS_MAX		128
/* Values that a site shares to have quantiles found among them: what it may send of 4 bytes each, and a little more. */
#define QUANTILE_ROWS_MAX		(16 * 1024 * 1024)
/* Rows of a relation; the engine numbers them in 32 bits. */
#define RELATION_ROWS_MAX		(UINT64CONST(1) << 31)
/* Rows that a site shares for a run come in so many: whole words of bits (share/columns.h). */
#define SITE_ROWS_STEP			64
/* A round that lasts longer than sending so many bytes is none that sorting could avoid any further. */
#define ROUND_BYTES_MAX			(256 * 1024 * 1024)
/* Rows of numbers that parties make up to measure what a run costs: enough for a second, and no load on them. */
#define NUMBERS_ROWS_MAX		(256 * 1024)
#define NUMBERS_BYTES_MAX		(256 * 1024 * 1024)
#define NUMBERS_ROUNDS_MAX		10000
/* A site shares padding up to a bound of at least so many rows: that it has more tells nothing of few. */
#define SITE_ROWS_MIN			1024
/* Columns of a shared table: a row of shares, up to 43 bytes each, fits into a page. */
#define SHARED_COLUMNS_MAX		128
/* Rows that a writer splits and sends at a time; with a table's widest row, 20 MB. */
#define SHARED_CHUNK_ROWS		8192

/* What people sign: a contract with its terms and its query is some pages of text. */
#define DOCUMENT_BODY_BYTES_MAX	(256 * 1024)
/* Twenty sites, their officers, and vetters. */
#define DOCUMENT_SIGNATURES_MAX	64
/* Body, signatures and the heads around them. */
#define DOCUMENT_BYTES_MAX		(DOCUMENT_BODY_BYTES_MAX + DOCUMENT_SIGNATURES_MAX * 128)
/* Of one message between nodes; it ends earlier after about a megabyte. */
#define EXCHANGE_DOCUMENTS_MAX	64
/* Documents of one sender that wait, for votes or for what they refer to. */
#define DOCUMENTS_WAITING_MAX	256
/* Proposals and votes that wait longer are forgotten, so that a full queue empties itself. */
#define DOCUMENT_WAITS_DAYS_MAX	90
/* Values of a cell that Fisher's exact test tries, some 100 times each: a second; beyond, chi-square is as good. */
#define FISHER_SUPPORT_MAX		1000000
/* Cells of its table: it goes as deep into the stack, and more have too many tables in any case. */
#define FISHER_CELLS_MAX		1024
/* Tables of rows and columns that it goes through: half a second. */
#define FISHER_TABLES_MAX		5000000

/* A run's request is refused when the clocks differ by more than this. */
#define CLOCK_SKEW_MS_MAX		(5 * 60 * 1000)
/* How often a busy site looks whether the coordinator is still there. */
#define CANCEL_POLL_MS			200

#endif							/* SECMED_LIMITS_H */
