/*
 * formula.c
 *	  A model's formula, by PostgreSQL's scanner and a grammar of a few lines:
 *
 *	  formula      outcome ~ sum, where outcome is SQL or surv(SQL, SQL)
 *	  sum          [+ | -] product { (+ | -) product }
 *	  product      interaction { (* | /) interaction }
 *	  interaction  power { : power }
 *	  power        primary [ ^ number ]
 *	  primary      ( sum ) | 0 | 1 | column | strata ( SQL , ... ) | function ( SQL )
 *
 * Values of the grammar are lists of terms, each once, in the order of their
 * first appearance.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "model/formula.h"
#include "nodes/parsenodes.h"
#include "parser/gramparse.h"
#include "parser/parser.h"
#include "port/pg_bitutils.h"
#include "utils/builtins.h"

/* A formula is written by hand. */
#define TOKENS_MAX		1024
#define TERMS_MAX		256
#define DEPTH_MAX		64

typedef struct Token
{
	int			kind;			/* of gram.h; 0 at the end */
	int			location;
	char	   *text;			/* as written, without space */
	char	   *name;			/* of an identifier or keyword */
	int			number;
} Token;

typedef struct Terms
{
	int			n;
	Term		term[TERMS_MAX];
} Terms;

typedef struct Parser
{
	Formula    *formula;
	Token	   *tokens;
	int			at;
	int			depth;
} Parser;

static void complain(const Formula *formula, int location, const char *message, const char *hint) pg_attribute_noreturn();

static void
complain(const Formula *formula, int location, const char *message, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYNTAX_ERROR),
			 errmsg("formula \"%s\": %s", formula->text, message),
			 location >= 0 && formula->text[location] != '\0' ?
			 errdetail("At \"%s\".", formula->text + location) : 0,
			 hint ? errhint("%s", hint) : 0));
}

/* ---- tokens ---- */

static bool
is_name(const Token *token)
{
	return token->name != NULL;
}

static void
read_token(Token *token, core_yyscan_t scanner, const char *text)
{
	core_YYSTYPE value = {0};
	YYLTYPE		location = 0;

	memset(token, 0, sizeof(*token));
	token->kind = core_yylex(&value, &location, scanner);
	token->location = token->kind == 0 ? (int) strlen(text) : location;
	if (token->kind == IDENT)
		token->name = pstrdup(value.str);
	else if (token->kind == ICONST)
		token->number = value.ival;
	/* Keywords come with a name and a number beyond all other tokens but these. */
	else if (token->kind > 258 && token->kind != UIDENT && token->kind != FCONST && token->kind != SCONST &&
			 token->kind != USCONST && token->kind != BCONST && token->kind != XCONST && token->kind != Op &&
			 token->kind != PARAM && token->kind != TYPECAST && token->kind != DOT_DOT &&
			 token->kind != COLON_EQUALS && token->kind != EQUALS_GREATER && token->kind != LESS_EQUALS &&
			 token->kind != GREATER_EQUALS && token->kind != NOT_EQUALS)
		token->name = pstrdup(value.keyword);
}

/* What stands between this token and the next. */
static char *
text_of(const Formula *formula, const Token *token, const Token *next)
{
	int			len = next->location - token->location;
	char	   *text;

	while (len > 0 && isspace((unsigned char) formula->text[token->location + len - 1]))
		len--;
	text = pnstrdup(formula->text + token->location, len);
	if (token->kind != SCONST && text[0] != '"' && (strstr(text, "--") || strstr(text, "/*")))
		complain(formula, token->location, "it can't have comments", NULL);
	return text;
}

static Token *
read_tokens(const Formula *formula)
{
	core_yy_extra_type extra;
	core_yyscan_t scanner = scanner_init(formula->text, &extra, &ScanKeywords, ScanKeywordTokens);
	Token	   *tokens = palloc0(sizeof(Token) * (TOKENS_MAX + 1));
	int			n = 0;

	do
	{
		if (n == TOKENS_MAX)
			complain(formula, -1, "it is too long", NULL);
		read_token(&tokens[n], scanner, formula->text);
	} while (tokens[n++].kind != 0);
	scanner_finish(scanner);
	for (int i = 0; i < n - 1; i++)
		tokens[i].text = text_of(formula, &tokens[i], &tokens[i + 1]);
	return tokens;
}

/* ---- expressions: SQL between these tokens, and its words as R writes them ---- */

static bool
is_binary(const Token *token, const Token *before)
{
	if (before == NULL || before->kind == '(' || before->kind == ',')
		return false;
	return token->kind == Op || (token->kind < 128 && strchr("+-*%<>=", token->kind) != NULL) ||
		token->kind == LESS_EQUALS || token->kind == GREATER_EQUALS || token->kind == NOT_EQUALS;
}

/* log(x) is R's, to the base e, where PostgreSQL's is to the base 10; of two arguments they differ in the order. */
static const char *
function_text(const Formula *formula, const Token *token)
{
	int			depth = 0;

	if (!is_name(token) || strcmp(token->name, "log") != 0 || token[1].kind != '(')
		return token->text;
	for (const Token *inner = token + 1; inner->kind != 0; inner++)
	{
		depth += inner->kind == '(';
		depth -= inner->kind == ')';
		if (depth == 1 && inner->kind == ',')
			complain(formula, token->location, "log() has one argument", "log(x) / log(b) is the logarithm to the base b.");
		if (depth == 0)
			break;
	}
	return "pg_catalog.ln";
}

static char *
sql_between(const Formula *formula, const Token *from, const Token *end)
{
	StringInfoData sql;

	initStringInfo(&sql);
	for (const Token *token = from; token < end; token++)
		appendStringInfo(&sql, "%s%s", token > from ? " " : "", function_text(formula, token));
	return sql.data;
}

static bool
is_word(const Token *token)
{
	return is_name(token) || token->kind == SCONST || token->kind == ICONST || token->kind == FCONST;
}

static char *
label_between(const Token *from, const Token *end)
{
	StringInfoData label;

	initStringInfo(&label);
	for (const Token *token = from; token < end; token++)
	{
		const Token *before = token > from ? token - 1 : NULL;
		const char *text = token->kind == IDENT ? token->name : token->text;

		if (is_binary(token, before))
			appendStringInfo(&label, " %s ", text);
		else if (token->kind == ',')
			appendStringInfoString(&label, ", ");
		else if (before && is_word(token) && is_word(before))
			appendStringInfo(&label, " %s", text);
		else
			appendStringInfoString(&label, text);
	}
	return label.data;
}

static bool
is_one_expression(const char *statement)
{
	List	   *statements = raw_parser(statement, RAW_PARSE_DEFAULT);
	SelectStmt *select = list_length(statements) == 1 ?
	(SelectStmt *) linitial_node(RawStmt, statements)->stmt : NULL;

	return select != NULL && IsA(select, SelectStmt) && list_length(select->targetList) == 1 &&
		linitial_node(ResTarget, select->targetList)->name == NULL &&
		select->fromClause == NIL && select->whereClause == NULL && select->groupClause == NIL &&
		select->havingClause == NULL && select->windowClause == NIL && select->valuesLists == NIL &&
		select->sortClause == NIL && select->limitCount == NULL && select->limitOffset == NULL &&
		select->lockingClause == NIL && select->withClause == NULL && select->op == SETOP_NONE &&
		select->intoClause == NULL && select->distinctClause == NIL;
}

/*
 * Within parentheses it must be one, and without them: "true) OR (true" is
 * none.  PostgreSQL's own complaint would point into the query around.
 */
void
formula_check_expression(const char *sql, const char *what)
{
	MemoryContext caller = CurrentMemoryContext;
	volatile bool valid = false;

	PG_TRY();
	{
		valid = is_one_expression(psprintf("SELECT %s", sql)) && is_one_expression(psprintf("SELECT (%s\n)", sql));
	}
	PG_CATCH();
	{
		if (geterrcode() != ERRCODE_SYNTAX_ERROR)
			PG_RE_THROW();
		MemoryContextSwitchTo(caller);
		FlushErrorState();
	}
	PG_END_TRY();
	if (!valid)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("%s is not one expression: %s", what, sql)));
}

static Variable
variable_between(Parser *parser, const Token *from, const Token *end)
{
	Variable	variable = {label_between(from, end), sql_between(parser->formula, from, end), false};

	if (from == end)
		complain(parser->formula, from->location, "an expression is missing", NULL);
	formula_check_expression(variable.sql, "a variable of the formula");
	return variable;
}

/* ---- lists of terms ---- */

static void
add_term(Parser *parser, Terms *terms, Term term)
{
	for (int i = 0; i < terms->n; i++)
		if (terms->term[i] == term)
			return;
	if (terms->n == TERMS_MAX)
		complain(parser->formula, -1, "it has too many terms", NULL);
	terms->term[terms->n++] = term;
}

static void
remove_term(Terms *terms, Term term)
{
	int			kept = 0;

	for (int i = 0; i < terms->n; i++)
		if (terms->term[i] != term)
			terms->term[kept++] = terms->term[i];
	terms->n = kept;
}

static void
add_terms(Parser *parser, Terms *terms, const Terms *more)
{
	for (int i = 0; i < more->n; i++)
		add_term(parser, terms, more->term[i]);
}

static void
add_interactions(Parser *parser, Terms *out, const Terms *a, const Terms *b)
{
	for (int i = 0; i < a->n; i++)
		for (int j = 0; j < b->n; j++)
			add_term(parser, out, a->term[i] | b->term[j]);
}

static Terms
cross(Parser *parser, const Terms *a, const Terms *b)
{
	Terms		out = *a;

	add_terms(parser, &out, b);
	add_interactions(parser, &out, a, b);
	return out;
}

/* a / b: b within all of a together. */
static Terms
nest(Parser *parser, const Terms *a, const Terms *b)
{
	Terms		out = *a;
	Terms		all = {1, {0}};

	for (int i = 0; i < a->n; i++)
		all.term[0] |= a->term[i];
	add_interactions(parser, &out, &all, b);
	return out;
}

/* ---- the grammar ---- */

static Terms parse_sum(Parser *parser, bool with_intercept);

static Token *
here(Parser *parser)
{
	return &parser->tokens[parser->at];
}

static bool
take(Parser *parser, int kind)
{
	if (here(parser)->kind != kind)
		return false;
	parser->at++;
	return true;
}

static Term
variable_term(Parser *parser, Variable variable)
{
	Formula    *formula = parser->formula;

	if (strcmp(variable.label, formula->outcome.label) == 0)
		complain(formula, -1, psprintf("the outcome \"%s\" can't explain itself", variable.label), NULL);
	for (int i = 0; i < formula->nvariables; i++)
		if (strcmp(formula->variables[i].label, variable.label) == 0)
			return UINT64CONST(1) << i;
	if (formula->nvariables == FORMULA_VARIABLES_MAX)
		complain(formula, -1, psprintf("it has more than %d variables", FORMULA_VARIABLES_MAX), NULL);
	formula->variables[formula->nvariables] = variable;
	return UINT64CONST(1) << formula->nvariables++;
}

/* The parenthesis that closes this one. */
static Token *
closing_of(Parser *parser, Token *open)
{
	int			depth = 0;

	for (Token *token = open; token->kind != 0; token++)
	{
		depth += token->kind == '(';
		depth -= token->kind == ')';
		if (depth == 0)
			return token;
	}
	complain(parser->formula, open->location, "a parenthesis is not closed", NULL);
}

/* I(...) and factor(...) are the formula's own. */
static Variable
marked_variable(Parser *parser, const Token *name, const Token *close)
{
	Variable	variable = variable_between(parser, name + 2, close);

	variable.factor = name->name[0] == 'f';
	variable.label = psprintf("%s(%s)", variable.factor ? "factor" : "I", variable.label);
	return variable;
}

static bool
is_mark(const Token *name)
{
	return is_name(name) && name[1].kind == '(' && (strcmp(name->name, "factor") == 0 || strcmp(name->name, "i") == 0);
}

/* The comma, outside of inner parentheses, or the end. */
static Token *
comma_before(Token *from, Token *end)
{
	int			depth = 0;

	for (Token *token = from; token < end; token++)
	{
		depth += token->kind == '(';
		depth -= token->kind == ')';
		if (depth == 0 && token->kind == ',')
			return token;
	}
	return end;
}

static void
add_strata(Parser *parser, Token *from, Token *end)
{
	for (Token *comma; from <= end; from = comma + 1)
	{
		Variable   *variable = palloc(sizeof(Variable));

		comma = comma_before(from, end);
		*variable = variable_between(parser, from, comma);
		variable->factor = true;
		parser->formula->strata = lappend(parser->formula->strata, variable);
	}
}

static Terms
parse_call(Parser *parser)
{
	Token	   *name = here(parser);
	Token	   *open = name + 1;
	Token	   *close;
	Variable	variable;

	parser->at++;
	close = closing_of(parser, open);
	parser->at = (int) (close + 1 - parser->tokens);
	if (strcmp(name->name, "offset") == 0)
	{
		variable = variable_between(parser, open + 1, close);
		parser->formula->offsets = lappend(parser->formula->offsets, variable.sql);
		return (Terms) {0};
	}
	if (strcmp(name->name, "strata") == 0)
	{
		add_strata(parser, open + 1, close);
		return (Terms) {0};
	}
	if (is_mark(name))
		variable = marked_variable(parser, name, close);
	else
		variable = variable_between(parser, name, close + 1);
	return (Terms) {1, {variable_term(parser, variable)}};
}

static Terms
parse_primary(Parser *parser)
{
	Token	   *token = here(parser);

	if (take(parser, '('))
	{
		Terms		terms = parse_sum(parser, false);

		if (!take(parser, ')'))
			complain(parser->formula, here(parser)->location, "a parenthesis should close", NULL);
		return terms;
	}
	if (token->kind == ICONST && token->number == 1)
	{
		parser->at++;
		return (Terms) {1, {0}};
	}
	if (token->kind == '.')
		complain(parser->formula, token->location, "\".\" for all columns is not available", "Name the columns.");
	if (!is_name(token))
		complain(parser->formula, token->location,
				 token->kind == 0 ? "it ends where a variable should be" : "a variable should be here",
				 "Arithmetic goes inside I(): y ~ a + I(b / 10).");
	if (token[1].kind == '(')
		return parse_call(parser);
	parser->at++;
	return (Terms) {1, {variable_term(parser, (Variable) {pstrdup(token->name),
				pstrdup(quote_identifier(token->name)), false})}};
}

static Terms
parse_power(Parser *parser)
{
	Terms		base = parse_primary(parser);
	Terms		out = base;

	if (!take(parser, '^'))
		return out;
	if (here(parser)->kind != ICONST || here(parser)->number < 1 || here(parser)->number > FORMULA_VARIABLES_MAX)
		complain(parser->formula, here(parser)->location, "the power of terms is a whole number", "A square of a variable is I(x ^ 2).");
	for (int i = 1; i < here(parser)->number; i++)
		out = cross(parser, &out, &base);
	parser->at++;
	return out;
}

static Terms
parse_interaction(Parser *parser)
{
	Terms		terms = parse_power(parser);

	while (take(parser, ':'))
	{
		Terms		right = parse_power(parser);
		Terms		out = {0};

		add_interactions(parser, &out, &terms, &right);
		terms = out;
	}
	return terms;
}

static Terms
parse_product(Parser *parser)
{
	Terms		terms = parse_interaction(parser);

	for (;;)
	{
		bool		nested = here(parser)->kind == '/';
		Terms		right;

		if (!take(parser, '*') && !take(parser, '/'))
			return terms;
		right = parse_interaction(parser);
		terms = nested ? nest(parser, &terms, &right) : cross(parser, &terms, &right);
	}
}

/* + 0 and - 1 take the intercept away. */
static void
parse_summand(Parser *parser, Terms *terms, bool minus)
{
	Terms		summand;

	if (here(parser)->kind == ICONST && here(parser)->number == 0)
	{
		parser->at++;
		if (minus)
			add_term(parser, terms, 0);
		else
			remove_term(terms, 0);
		return;
	}
	summand = parse_product(parser);
	for (int i = 0; i < summand.n; i++)
	{
		if (minus)
			remove_term(terms, summand.term[i]);
		else
			add_term(parser, terms, summand.term[i]);
	}
}

static Terms
parse_sum(Parser *parser, bool with_intercept)
{
	Terms		terms = {with_intercept, {0}};
	bool		minus;

	check_stack_depth();
	if (++parser->depth > DEPTH_MAX)
		complain(parser->formula, here(parser)->location, "its parentheses are too deep", NULL);
	minus = take(parser, '-');
	if (!minus)
		(void) take(parser, '+');
	for (;;)
	{
		parse_summand(parser, &terms, minus);
		minus = here(parser)->kind == '-';
		if (!take(parser, '+') && !take(parser, '-'))
			break;
	}
	parser->depth--;
	return terms;
}

/* The tilde outside of parentheses. */
static Token *
find_tilde(Parser *parser)
{
	int			depth = 0;

	for (Token *token = parser->tokens; token->kind != 0; token++)
	{
		depth += token->kind == '(';
		depth -= token->kind == ')';
		if (depth == 0 && token->kind == Op && strcmp(token->text, "~") == 0)
			return token;
	}
	complain(parser->formula, -1, "it has no ~ between outcome and variables", "Write it as in R: chol ~ age + sex.");
}

static int
degree(Term term)
{
	return pg_popcount64(term);
}

/* In the order of their degree; otherwise as they came. */
static void
keep_terms(Formula *formula, const Terms *terms)
{
	formula->terms = palloc(sizeof(Term) * (terms->n + 1));
	for (int i = 0; i < terms->n; i++)
		formula->intercept = formula->intercept || terms->term[i] == 0;
	for (int wanted = 1; wanted <= FORMULA_VARIABLES_MAX; wanted++)
		for (int i = 0; i < terms->n; i++)
			if (degree(terms->term[i]) == wanted)
				formula->terms[formula->nterms++] = terms->term[i];
}

/* surv(time, event) */
static bool
is_surv(const Token *name)
{
	return is_name(name) && name[1].kind == '(' && strcmp(name->name, "surv") == 0;
}

static void
parse_surv(Parser *parser, Token *open, Token *close)
{
	Token	   *comma = comma_before(open + 1, close);

	if (comma == close || comma_before(comma + 1, close) != close)
		complain(parser->formula, open->location, "surv() has two arguments", "Write surv(time, event) ~ ...");
	parser->formula->time = variable_between(parser, open + 1, comma).sql;
	parser->formula->outcome = variable_between(parser, comma + 1, close);
}

static void
parse_outcome(Parser *parser, Token *tilde)
{
	Token	   *first = parser->tokens;
	bool		call = first[1].kind == '(' && closing_of(parser, first + 1) == tilde - 1;

	if (call && is_surv(first))
		parse_surv(parser, first + 1, tilde - 1);
	else
		parser->formula->outcome = call && is_mark(first) ? marked_variable(parser, first, tilde - 1) :
			variable_between(parser, first, tilde);
}

Formula *
formula_parse(const char *text)
{
	Formula    *formula = palloc0(sizeof(Formula));
	Parser		parser = {.formula = formula};
	Token	   *tilde;
	Terms		terms;

	formula->text = pstrdup(text);
	parser.tokens = read_tokens(formula);
	tilde = find_tilde(&parser);
	parse_outcome(&parser, tilde);
	parser.at = (int) (tilde + 1 - parser.tokens);
	terms = parse_sum(&parser, true);
	if (here(&parser)->kind != 0)
		complain(formula, here(&parser)->location, "+, -, *, /, : or the end should be here",
				 "Arithmetic goes inside I(): y ~ a + I(b / 10).");
	keep_terms(formula, &terms);
	if (formula->nterms == 0 && !formula->intercept)
		complain(formula, -1, "it has no terms", NULL);
	return formula;
}

Formula *
formula_parse_plain(const char *text)
{
	Formula    *formula = formula_parse(text);

	if (formula->time != NULL || formula->strata != NIL)
		complain(formula, -1, "this model has no surv() and no strata()", "Times until an event have secmed.survfit() and secmed.survdiff().");
	return formula;
}

bool
formula_has_term(const Formula *formula, Term term)
{
	if (term == 0)
		return formula->intercept;
	for (int i = 0; i < formula->nterms; i++)
		if (formula->terms[i] == term)
			return true;
	return false;
}
