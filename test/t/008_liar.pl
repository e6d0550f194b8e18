# 008_liar.pl
#	  A coordinator that asks the sites something else than its analyst wrote
#	  (liar/liar.c): every site refuses by itself, nothing is shared, and the
#	  refusal and the lie are on its ledger.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use File::Copy qw(copy);
use PostgreSQL::Test::Utils;
use Secmed;
use Test::More;

my @hospitals = qw(charite lmu gemelli);
my $c = Secmed->new(sites => \@hospitals, one_cluster => 1);

# What the sites have --------------------------------------------------------

# Each patient has four visits.  What is in schema open anybody may use, so that
# it is not for want of a right that the sites leave it alone.
my $visits = <<'END';
CREATE TYPE clinic.kind AS ENUM ('home', 'ward');
CREATE TABLE clinic.visit (patient_id integer NOT NULL, visit integer PRIMARY KEY, cost numeric NOT NULL,
	score float8 NOT NULL, urgent boolean NOT NULL, kind clinic.kind NOT NULL, note text NOT NULL, hidden integer NOT NULL);
INSERT INTO clinic.visit SELECT patient_id, 4 * patient_id + i, age + i / 10.0, age, i = 0,
	CASE i WHEN 0 THEN 'home' ELSE 'ward' END::clinic.kind, 'note ' || i, i
	FROM clinic.trial, generate_series(0, 3) i;
END
my $open = <<'END';
CREATE SCHEMA open;
GRANT USAGE ON SCHEMA open TO PUBLIC;
CREATE TABLE open.secret AS SELECT patient_id, age AS visit FROM clinic.trial;
CREATE VIEW secmed_published.unknown AS TABLE open.secret;
GRANT SELECT ON open.secret, secmed_published.unknown TO PUBLIC;
CREATE TYPE open.pair AS (a integer, b integer);
CREATE DOMAIN open.age AS integer;
CREATE FUNCTION open.same(integer) RETURNS integer IMMUTABLE LANGUAGE sql RETURN $1;
CREATE OPERATOR open.@+ (FUNCTION = open.same, RIGHTARG = integer);
CREATE AGGREGATE open.sum (integer) (SFUNC = int84pl, STYPE = int8, INITCOND = '0');
END

$c->load_lung;
$c->run($_, $visits . $open) for @hospitals;
$c->publish('clinic.trial', 'trial', "$Secmed::LUNG_OPTIONS, columns => '{patient_id, sex, age, status, ph_ecog, wt_loss}'");
$c->publish('clinic.visit', 'visit', q{patient => 'patient_id', min_patients => 11, local_keys => '{visit}',
	columns => '{patient_id, visit, cost, score, urgent, kind, note}'});
$c->run('research', "CREATE SCHEMA clinic; CREATE TYPE clinic.kind AS ENUM ('home', 'ward'); GRANT USAGE ON SCHEMA clinic TO alice");
$c->import_tables;

# The liar -------------------------------------------------------------------

my $build = PostgreSQL::Test::Utils::tempdir;
copy("$FindBin::RealBin/liar/$_", $build) or die "$_: $!" for qw(Makefile liar.c);
system_or_bail('make', '-s', '-C', $build, 'with_llvm=no', 'PG_CONFIG=' . ($ENV{PG_CONFIG} // 'pg_config'));
$c->run('research', "ALTER ROLE alice IN DATABASE research SET session_preload_libraries = '$build/liar.so'");

# What the analyst writes.  Its honest plan is what each lie changes.
my %question = (
	visits => 'SELECT count(*), sum(visit) FROM consortium.visit',
	costs => 'SELECT count(*), sum(cost) FROM consortium.visit',
	scores => 'SELECT count(*), sum(score) FROM consortium.visit',
	urgent => 'SELECT count(*), bool_and(urgent) FROM consortium.visit',
	patients => 'SELECT count(*), count(DISTINCT patient_id) FROM consortium.visit',
	filter => 'SELECT count(*), sum(visit) FILTER (WHERE urgent) FROM consortium.visit',
	later => 'SELECT count(*), sum(visit) FROM consortium.visit WHERE visit > (SELECT 100)',
	sex => 'SELECT sex, count(*) FROM consortium.trial GROUP BY sex',
	sex_ecog => 'SELECT sex, ph_ecog, count(*) FROM consortium.trial GROUP BY sex, ph_ecog',
	joined => 'SELECT count(*), sum(v.visit) FROM consortium.trial t JOIN consortium.visit v ON v.patient_id = t.patient_id');

# Statements that change fields of the plan and then ask.
sub lying
{
	my ($question, %lie) = @_;
	return join '', (map { "SET liar.$_ = \$lie\$$lie{$_}\$lie\$;\n" } sort keys %lie), $question{$question};
}

# What the run left on a node's ledger.
sub recorded
{
	my ($name, $run) = @_;
	return join ', ', $c->audit($name, "kind || ' ' || outcome", "run = '$run'");
}

# The sites refuse with one of these SQLSTATEs, and say why.  The first refusal
# ends the run, and a site that had not come so far then says less or nothing;
# so they are asked, over connections that stand, until each has refused.
sub refused
{
	my ($about, $state, $why, $question, %lie) = @_;
	my %waiting = map { $_ => 1 } @hospitals;
	my $before = $c->last_run('research');
	my @wrong;
	for my $try (1 .. 20)
	{
		my ($ret, $out, $err) = $c->ask("\\o /dev/null\n$question{visits};\n\\o\n" . lying($question, %lie));
		my $run = $c->last_run('research');
		Secmed::within(5, sub { $c->run('research', "SELECT count(*) FROM pg_stat_activity WHERE usename = 'node'") eq '0' });
		push @wrong, "answer: $out" if $out ne '';
		push @wrong, "error: $err" if $err !~ /ERROR:\s+(?:$state): .*$why/s;
		push @wrong, 'research: nothing' if $run eq $before;
		$before = $run;
		my $recorded = recorded('research', $run);
		push @wrong, "research: $recorded" if $recorded !~ /^request asked, outcome failed (?:$state)$/;
		for my $name (@hospitals)
		{
			$recorded = recorded($name, $run);
			delete $waiting{$name} if $recorded =~ /^request received, decision no(?:: columns)?, outcome refused (?:$state)$/;
			push @wrong, "$name: $recorded"
			  if $recorded !~ /^(request received, decision no(?:: columns)?, outcome (refused (?:$state)|cancelled 57014))?$/;
		}
		last if @wrong || !%waiting;
	}
	push @wrong, map { "$_ has not refused by itself" } sort keys %waiting;
	ok(!@wrong, "refused: $about") or diag join "\n", (map { substr "$_ = $lie{$_}", 0, 500 } sort keys %lie), @wrong;
}

# The truth ------------------------------------------------------------------

# In other words: then it is not for what the liar touches that the rest is refused.
my $visit = 'FROM secmed_published.visit';
my $named = '[["visit", [["patient_id", "integer"], ["visit", "integer"]]]]';
my $both = '[["trial", [["age", "integer"], ["patient_id", "integer"]]], ["visit", [["patient_id", "integer"], ["visit", "integer"]]]]';
{
	my ($ret, $honest) = $c->ask($question{visits});
	like($honest, qr/^912\|\d+$/, 'an honest question is answered');
	for my $truth ([ 'the SQL', sql => "SELECT count(*), sum(visit) $visit" ], [ 'the tables', tables => $named ],
		[ 'all fields', sql => "SELECT pg_catalog.count(*), sum(r9.visit) $visit r9 WHERE true", tables => $named,
			parameters => '[]', keys => '[]', components => '[[1, 0], [2, 1]]' ])
	{
		my ($about, %truth) = @$truth;
		is(($c->ask(lying('visits', %truth)))[1], $honest, "and so it is with $about exchanged for true ones");
	}
	my ($ret2, $out, $err) = $c->ask(lying('later', sql => "SELECT count(*), sum(r1.visit) $visit r1 WHERE r1.visit > \$1::integer",
		parameters => '["bigint"]'));
	like($out, qr/^\d+\|\d+$/, 'and with another type of parameter') or diag $err;
	is(($c->ask(lying('sex', keys => '[["smallint", ["1", "2"]]]')))[1], ($c->ask($question{sex}))[1], 'and with true keys');

	# A lie that asks for what an analyst could ask, too, is counted like that.
	($ret, $out, $err) = $c->ask(lying('visits', sql => "SELECT count(*), sum(visit) $visit WHERE patient_id IN (8, 11, 14)", tables => $named));
	like($err, qr/the answer is withheld: it is about fewer than 11 patients/, 'twelve visits of three patients are withheld');
	is($out, 'NULL|NULL', 'with all of them');
	($ret, $out, $err) = $c->ask(lying('joined', tables => $both,
		sql => "SELECT count(*), sum(r2.visit) FROM secmed_published.trial r1, secmed_published.visit r2 WHERE r1.patient_id = 8"));
	is($out, 'NULL|NULL', 'and so is one patient joined with everybody') or diag $err;
	($ret, $out, $err) = $c->ask(lying('visits', tables => $named,
		sql => "SELECT count(*), sum(r2.visit) $visit r1, secmed_published.visit r2 WHERE r2.patient_id = 8"));
	is($out, 'NULL|NULL', 'whichever of two') or diag $err;
	($ret, $out, $err) = $c->ask(lying('visits', tables => $named, components => '[[1, 0], [2, 1]]',
		sql => "SELECT count(*), sum(visit) FILTER (WHERE patient_id < 10) $visit"));
	like($out, qr/^912\|NULL$/, 'and an aggregate over few patients in a part of its own') or diag $err;
}

# The patient count ----------------------------------------------------------

my $join = '(secmed_published.trial r1 JOIN secmed_published.visit r2 ON r2.patient_id = r1.patient_id)';
for my $lie (
	[ 'columns renamed', 'renames columns', 'visits', "SELECT count(*), sum(r1.visit) $visit r1 (visit, patient_id)" ],
	[ 'one column renamed', 'renames columns', 'visits', "SELECT count(*), sum(r1.visit) $visit AS r1 (person)" ],
	[ 'columns renamed to themselves', 'renames columns', 'visits', "SELECT count(*), sum(r1.visit) $visit AS r1 (patient_id, visit)" ],
	[ "a join's columns renamed", 'renames columns', 'joined', "SELECT count(*), sum(j.v) FROM $join AS j (p, s, a, t, e, w, v)" ],
	[ 'a join with a name', 'other than published tables', 'joined', "SELECT count(*), sum(j.visit) FROM $join AS j" ],
	[ 'a named join beside the tables whose names it takes', 'renames columns', 'joined',
		"SELECT count(*), sum(j.a) FROM (secmed_published.visit x JOIN secmed_published.trial y ON y.patient_id = x.visit) AS j (v, a),
		 secmed_published.visit r1, secmed_published.trial r2" ],
	[ 'patients who are counted in the SQL', 'keys and components', 'visits', "SELECT count(*), sum(r1.visit), 1000::bigint $visit r1" ],
	[ 'a number in place of an aggregate', 'not an aggregate', 'visits', "SELECT 1000::bigint, sum(r1.visit) $visit r1" ],
	[ 'an aggregate of nothing', 'not an aggregate', 'visits', "SELECT count(*), sum(r1.visit) + 0 $visit r1" ])
{
	my ($about, $why, $question, $sql) = @$lie;
	refused($about, 'SM003', $why, $question, sql => $sql, tables => $both);
}

refused('only optional tables', 'SM003', 'tells patients apart', 'joined', tables => $both, components => '[[1, 0], [2, 1]]',
	sql => 'SELECT count(*), sum(r2.visit) FROM secmed_published.trial r1 FULL JOIN secmed_published.visit r2 ON r1.patient_id = r2.patient_id');

# What is read ---------------------------------------------------------------

# PostgreSQL's own reasons would tell what there is: they stay at the site.
my $meaning = "SQL has no meaning here";
my $select = 'SELECT count(*), sum(r1.visit) FROM';
refused('a table that the plan does not name', 'SM003', 'table that it does not name', 'visits',
	sql => 'SELECT count(*), sum(r1.age) FROM secmed_published.trial r1');
refused('a second one', 'SM003', 'table that it does not name', 'visits',
	sql => "$select secmed_published.visit r1, secmed_published.trial r2");
refused('no table named', 'SM003', 'table that it does not name', 'visits', tables => '[]');
refused('a column that the plan does not name', 'SM003', 'column that it does not name', 'visits', tables => '[["visit", []]]');
refused('one in WHERE', 'SM003', 'column that it does not name', 'visits', sql => "$select secmed_published.visit r1 WHERE r1.cost > 0");
refused('one in FILTER', 'SM003', 'column that it does not name', 'filter',
	sql => "SELECT count(*), sum(r1.visit) FILTER (WHERE r1.cost > 0) $visit r1", components => '[[1, 0], [2, 1]]');
refused('one in ON', 'SM003', 'column that it does not name', 'joined',
	sql => "$select secmed_published.visit r1 JOIN secmed_published.trial r2 ON r1.patient_id = r2.patient_id AND r2.age > 60");
refused('those of NATURAL JOIN', 'SM003', 'column that it does not name', 'visits', tables => '[["trial", []], ["visit", [["visit", "integer"]]]]',
	sql => "$select secmed_published.visit r1 NATURAL JOIN secmed_published.trial r2");
refused('a table that is not published', 'SM015', 'does not publish "secret"', 'visits', tables => '[["secret", [["visit", "integer"]]]]',
	sql => "$select open.secret r1");
refused('a column that is not published', 'SM015', 'does not publish column "hidden"', 'visits',
	tables => '[["visit", [["hidden", "integer"]]]]', sql => "SELECT count(*), sum(r1.hidden) $visit r1");
refused('a column of another type', 'SM015', 'is of type integer', 'visits', tables => '[["visit", [["visit", "bigint"]]]]');
refused("a table in another's name", 'SM003', 'not published here', 'visits', sql => "$select open.secret r1");
refused('one beside a published one', 'SM003', 'not published here', 'visits', sql => "$select secmed_published.visit r1, open.secret r2");
refused('a view that nobody has published', 'SM003', 'not published here', 'visits', sql => "$select secmed_published.unknown r1");
refused('a table of the catalog', 'SM003', 'not published here', 'visits', sql => 'SELECT count(*), sum(r1.relpages) FROM pg_catalog.pg_class r1');
refused('one with secrets', 'SM003', 'not published here', 'visits', sql => "$select secmed_published.visit r1, pg_catalog.pg_authid r2");
refused('statistics', 'SM003', 'not published here', 'visits', sql => 'SELECT count(*), sum(r1.n_distinct::integer) FROM pg_catalog.pg_stats r1');
refused('the published table itself', 'SM003', $meaning, 'visits', sql => "$select clinic.visit r1");
refused("the node's own tables", 'SM003', 'not published here', 'visits', sql => 'SELECT count(*), sum(r1.seq) FROM secmed.ledger r1');
refused('a table that is not there', 'SM003', $meaning, 'visits', sql => "$select secmed_published.visits r1");
refused('a table without its schema', 'SM003', $meaning, 'visits', sql => "$select visit r1");
refused('a sample', 'SM003', $meaning, 'visits', sql => "$select secmed_published.visit r1 TABLESAMPLE SYSTEM (50)");
refused('a sub-query', 'SM003', 'other than published tables', 'visits', sql => "$select (TABLE secmed_published.visit) r1");
refused('LATERAL', 'SM003', 'other than published tables', 'visits', sql => "$select secmed_published.visit r1, LATERAL (SELECT r1.cost) r2");
refused('VALUES', 'SM003', 'other than published tables', 'visits', sql => "$select secmed_published.visit r1, (VALUES (1)) r2");
refused('a function as a table', 'SM003', 'other than published tables', 'visits', sql => "$select secmed_published.visit r1, generate_series(1, 100) r2");
refused('a file as a table', 'SM003', 'other than published tables', 'visits', sql => "$select secmed_published.visit r1, pg_ls_dir('.') r2");
refused('no table', 'SM003', 'reads no table', 'visits', sql => 'SELECT count(*), sum(1)');
refused('33 tables', 'SM003', 'too many tables', 'visits', sql => "$select " . join ', ', map { "secmed_published.visit r$_" } 1 .. 33);
refused('a row', 'SM003', 'whole row', 'visits', sql => "SELECT count(r1), sum(r1.visit) $visit r1");
refused('a system column', 'SM003', $meaning, 'visits', sql => "$select secmed_published.visit r1 WHERE r1.tableoid IS NULL");

# The optional side of an outer join brings nobody who is not counted.
for my $on ('r2.patient_id = 8', 'r2.patient_id = r1.visit', 'r2.patient_id = r1.patient_id OR r2.patient_id = 8', 'true')
{
	refused("an outer join ON $on", 'SM003', 'local to a site', 'joined', tables => $both,
		sql => "SELECT count(*), sum(r2.age) FROM secmed_published.visit r1 LEFT JOIN secmed_published.trial r2 ON $on");
}

# What is evaluated ----------------------------------------------------------

my $where = "$select secmed_published.visit r1 WHERE";
for my $lie (
	[ 'a sub-query in WHERE', 'clause', 'r1.visit > (SELECT 7)' ],
	[ 'EXISTS', 'clause', 'EXISTS (SELECT FROM open.secret)' ],
	[ 'IN of a table', 'clause', 'r1.visit IN (SELECT r2.visit FROM open.secret r2)' ],
	[ 'a volatile function', 'volatile', 'random() < 0.5' ],
	[ 'one that sleeps', $meaning, 'pg_sleep(60) IS NULL' ],
	[ 'one that reads files', 'volatile', "pg_read_file('PG_VERSION') <> ''" ],
	[ 'one that runs SQL', 'volatile', "query_to_xml('TABLE open.secret', true, true, '') IS NOT NULL" ],
	[ 'one that changes settings', 'volatile', "set_config('role', 'postgres', false) <> ''" ],
	[ 'a stable function', 'stable', "current_setting('data_directory') <> ''" ],
	[ 'one that tells of objects', $meaning, "to_regclass('open.secret') IS NOT NULL" ],
	[ 'one that tells of rights', 'stable', "has_table_privilege('open.secret', 'SELECT')" ],
	[ 'the time', 'differs between sites', 'CURRENT_TIMESTAMP IS NOT NULL' ],
	[ 'text as a table', $meaning, "r1.visit::text::regclass IS NULL" ],
	[ 'text as a role', $meaning, "r1.visit::text::regrole IS NULL" ],
	[ 'the name of a role', $meaning, "'postgres'::regrole IS NOT NULL" ],
	[ 'the name of a schema', $meaning, "'open'::regnamespace IS NOT NULL" ],
	[ 'the name of a table', $meaning, "'open.secret'::regclass IS NOT NULL" ],
	[ 'a name that is none', $meaning, "'nowhere.none'::regclass IS NOT NULL" ],
	[ 'names in a list', $meaning, "'{postgres}'::regrole[] IS NOT NULL" ],
	[ 'rights', $meaning, "'postgres=r/postgres'::aclitem IS NOT NULL" ],
	[ "a function that is not PostgreSQL's", "not one of PostgreSQL's own", 'open.same(r1.visit) > 0' ],
	[ 'an operator on one', "not one of PostgreSQL's own", 'OPERATOR(open.@+) r1.visit > 0' ],
	[ 'a type that is not', 'kind of expression', 'r1.visit::open.age > 0' ],
	[ 'a row made up', 'kind of expression', '(r1.visit, 1)::open.pair IS NOT NULL' ],
	[ "a site's own text order", 'text order', "(r1.visit::text || 'x') < 'y'" ])
{
	my ($about, $why, $condition) = @$lie;
	refused($about, 'SM003', $why, 'visits', sql => "$where $condition");
	next if $about !~ /^(a volatile function|text as a table|a type that is not|a site's own text order)$/;
	refused("$about, in an argument", 'SM003', $why, 'visits', sql => "SELECT count(*), sum(CASE WHEN $condition THEN r1.visit END) $visit r1");
	refused("$about, in FILTER", 'SM003', $why, 'visits', sql => "SELECT count(*), sum(r1.visit) FILTER (WHERE $condition) $visit r1");
	refused("$about, in ON", 'SM003', $why, 'visits', sql => "$select secmed_published.visit r1 JOIN secmed_published.visit r2 ON $condition");
}
refused('a set in an argument', 'SM003', $meaning, 'visits', sql => "SELECT count(*), sum(generate_series(1, r1.visit)) $visit r1");
refused('a set among the columns', 'SM003', 'clause', 'sex', sql => 'SELECT generate_series(1, 2)::smallint, count(*) FROM secmed_published.trial GROUP BY 1');

# Other statements -----------------------------------------------------------

for my $lie (
	[ 'FOR UPDATE', 'plain SELECT', "$select secmed_published.visit r1 FOR UPDATE" ],
	[ 'FOR SHARE OF a table', 'plain SELECT', "$select secmed_published.visit r1 FOR SHARE OF r1" ],
	[ 'INTO', 'plain SELECT', "SELECT count(*), sum(r1.visit) INTO stolen $visit r1" ],
	[ 'two statements', 'one statement', "$select secmed_published.visit r1; DROP TABLE clinic.visit" ],
	[ 'no statement', 'one statement', '-- nothing' ],
	[ 'WITH', 'plain SELECT', "WITH r1 AS (TABLE secmed_published.visit) $select r1" ],
	[ 'WITH that writes', 'plain SELECT', "WITH gone AS (DELETE FROM clinic.visit RETURNING 1) $select secmed_published.visit r1" ],
	[ 'UNION', 'plain SELECT', "$select secmed_published.visit r1 UNION SELECT 1, 1" ],
	[ 'VALUES alone', 'plain SELECT', 'VALUES (1, 1)' ],
	[ 'DELETE', 'plain SELECT', 'DELETE FROM secmed_published.visit' ],
	[ 'COPY', 'plain SELECT', "COPY secmed_published.visit TO PROGRAM 'cat'" ],
	[ 'DO', 'plain SELECT', 'DO $$ BEGIN END $$' ],
	[ 'CALL', 'plain SELECT', 'CALL secmed.serve(NULL)' ],
	[ 'SET', 'plain SELECT', 'SET ROLE postgres' ],
	[ 'HAVING', 'clause', "$select secmed_published.visit r1 HAVING count(*) > 1000" ],
	[ 'ORDER BY', 'clause', "$select secmed_published.visit r1 ORDER BY 1" ],
	[ 'LIMIT', 'clause', "$select secmed_published.visit r1 LIMIT 1" ],
	[ 'OFFSET', 'clause', "$select secmed_published.visit r1 OFFSET 1" ],
	[ 'DISTINCT', 'clause', "SELECT DISTINCT count(*), sum(r1.visit) $visit r1" ],
	[ 'a window function', 'clause', "SELECT count(*) OVER (), sum(r1.visit) $visit r1 GROUP BY r1.visit" ],
	[ 'GROUPING SETS', 'clause', "$select secmed_published.visit r1 GROUP BY GROUPING SETS ((), (r1.visit))" ],
	[ 'groups that are no keys', 'keys and components', "$select secmed_published.visit r1 GROUP BY r1.visit" ],
	[ 'rows', 'keys and components|not an aggregate', "SELECT r1.visit, r1.visit $visit r1" ],
	[ 'a column less', 'keys and components', "SELECT sum(r1.visit) $visit r1" ],
	[ 'a column more', 'keys and components', "SELECT count(*), sum(r1.visit), sum(r1.visit) $visit r1" ])
{
	my ($about, $why, $sql) = @$lie;
	refused($about, 'SM003', $why, 'visits', sql => $sql);
}
refused('what is not SQL', 'SM003', $meaning, 'visits', sql => 'SELECT count(*), sum(');
refused('an aggregate of an aggregate', 'SM003', $meaning, 'visits', sql => "SELECT count(*), sum(count(*)) $visit r1");
refused('35 kB of NOT', 'SM003', $meaning, 'visits', sql => "$where " . 'NOT ' x 8_500 . 'true');
refused('45 kB of parentheses', 'SM003', $meaning, 'visits', sql => "$where " . '(' x 22_000 . 'true' . ')' x 22_000);
refused('30 kB of minus', 'SM003', $meaning, 'visits', sql => "$where r1.visit > " . '- ' x 15_000 . '1');

# What is longer than the ledger keeps is refused before it is read; that it was asked is on record.
for my $long ('(' x 50_000 . 'true' . ')' x 50_000, "true -- " . 'x' x 100_000)
{
	refused('100 kB of SQL', '54000', 'too long to be recorded', 'visits', sql => "$where $long");
}

# Components -----------------------------------------------------------------

my $aggregate = 'not an aggregate that sites run';
sub component
{
	my ($about, $kind, $question, $call, $why, $width) = @_;
	my $fields = join ', ', $kind, 0, $width // ();
	refused($about, 'SM003', $why // $aggregate, $question, sql => "SELECT count(*), $call $visit r1", tables => '[["visit", [["cost", "numeric"],
		["kind", "clinic.kind"], ["note", "pg_catalog.text"], ["patient_id", "integer"], ["score", "double precision"], ["urgent", "boolean"], ["visit", "integer"]]]]',
		components => "[[1, 0], [$fields]]");
}

my ($COUNT, $INTEGER, $NUMERIC, $NUMERIC_PRODUCT, $FLOAT, $FLOAT_PRODUCT, $INTERVAL, $OR, $AND, $FLOAT_PRODUCT_3) = 1 .. 10;
component('max as an integer sum', $INTEGER, 'visits', 'max(r1.visit)');
component('min as an integer sum', $INTEGER, 'visits', 'min(r1.visit)');
component('max as a count', $COUNT, 'patients', 'max(r1.visit::bigint)');
component('a sum as a count', $COUNT, 'patients', 'sum(r1.visit)');
component('a count as an integer sum', $INTEGER, 'visits', 'count(r1.visit)');
component('bit_or as an integer sum', $INTEGER, 'visits', 'bit_or(r1.visit::bigint)');
component('avg as a numeric sum', $NUMERIC, 'costs', 'avg(r1.cost)');
component('max as a numeric sum', $NUMERIC, 'costs', 'max(r1.cost)');
component('a numeric sum of double precision', $NUMERIC, 'costs', 'sum(r1.score)');
component('an integer sum of double precision', $INTEGER, 'visits', 'sum(r1.score)');
component('a sum of money', $NUMERIC, 'costs', 'sum(r1.visit::money)');
component('an interval sum of numbers', $INTERVAL, 'visits', 'sum(r1.visit)');
component('array_agg', $INTEGER, 'visits', 'array_agg(r1.visit)');
component('string_agg', $INTEGER, 'visits', "string_agg(r1.note, ',')");
component('json_agg', $INTEGER, 'visits', 'json_agg(r1.visit)');
component('percentile_disc', $INTEGER, 'visits', 'percentile_disc(0.5) WITHIN GROUP (ORDER BY r1.visit)');
component('mode', $INTEGER, 'visits', 'mode() WITHIN GROUP (ORDER BY r1.visit::bigint)');
component('rank', $COUNT, 'patients', 'rank(7) WITHIN GROUP (ORDER BY r1.visit)');
component("PostgreSQL's sum of double precision", $FLOAT, 'scores', 'sum(r1.score)');
component('an exact sum as one of products', $FLOAT_PRODUCT, 'scores', 'secmed.exact_sum(r1.score)');
component('one of products as a sum', $FLOAT, 'scores', 'secmed.exact_sum(r1.score, r1.score)');
component('a product of two as one of three', $FLOAT_PRODUCT_3, 'scores', 'secmed.exact_sum(r1.score, r1.score)');
component('a product of three as one of two', $FLOAT_PRODUCT, 'scores', 'secmed.exact_sum(r1.score, r1.score, r1.score)');
component('an exact sum as a numeric one', $NUMERIC_PRODUCT, 'costs', 'secmed.exact_sum(r1.score)');
# Two columns of a design make 19 sums, one makes 16.
my ($VECTOR, $point) = (12, "'{1,1,2,1,0,0,0,0,0,1,1}'");
component('a sum as a vector', $VECTOR, 'scores', 'secmed.exact_sum(r1.score)', undef, 19);
component('a vector as a sum', $FLOAT, 'scores', "secmed.exact_glm_sums($point, r1.score, 1, 0, ARRAY[1, r1.score])");
component('a wider vector than is said', $VECTOR, 'scores', "secmed.exact_glm_sums($point, r1.score, 1, 0, ARRAY[1, r1.score])", undef, 16);
component('a vector whose width only rows know', $VECTOR, 'scores',
	"secmed.exact_glm_sums($point, r1.score, 1, 0, array_fill(r1.score, ARRAY[2]))", undef, 19);
component('a vector that is opened by itself', $VECTOR, 'scores', "secmed.glm_sums($point, r1.score, 1, 0, ARRAY[1, r1.score])", undef, 19);

component('bool_or as bool_and', $AND, 'urgent', 'bool_or(r1.urgent)');
component('every as bool_or', $OR, 'urgent', 'every(r1.urgent)');
component('an aggregate of somebody', $INTEGER, 'visits', 'open.sum(r1.visit)');
component('an order', $INTEGER, 'visits', 'sum(r1.visit ORDER BY r1.cost)');
component('an order by itself', $INTEGER, 'visits', 'sum(r1.visit ORDER BY r1.visit)');
component('a sum of distinct values', $INTEGER, 'visits', 'sum(DISTINCT r1.visit)', 'distinct values');
component('a count of distinct values', $COUNT, 'patients', 'count(DISTINCT r1.visit)', 'distinct values');
component('a count of distinct other values', $COUNT, 'patients', 'count(DISTINCT r1.patient_id % 2)', 'distinct values');
component('a count of distinct pairs', $COUNT, 'patients', 'count(DISTINCT (r1.patient_id, r1.visit))', "distinct values|kind of expression");
refused('VARIADIC', 'SM003', $meaning, 'visits', sql => "SELECT count(*), sum(VARIADIC ARRAY[r1.visit]) $visit r1");
refused('VARIADIC of an aggregate that takes it', 'SM003', $meaning, 'visits',
	sql => "SELECT count(*), rank(VARIADIC ARRAY[7]) WITHIN GROUP (ORDER BY r1.visit) $visit r1");

# Parts ----------------------------------------------------------------------

my $few = "SELECT count(*), sum(r1.visit) FILTER (WHERE r1.patient_id = 8) $visit r1";
my $other = 'counts other patients for component';
refused('a FILTER as of the whole group', 'SM015', "$other 2", 'visits', components => '[[1, 0], [2, 0]]', tables => $named, sql => $few);
refused('a count of one patient as of the whole group', 'SM015', "$other 1", 'visits', tables => $named,
	sql => "SELECT count(*) FILTER (WHERE r1.patient_id = 8), sum(r1.visit) $visit r1");
refused('a CASE as of the whole group', 'SM015', "$other 2", 'visits', components => '[[1, 0], [2, 0]]', tables => $named,
	sql => "SELECT count(*), sum(CASE WHEN r1.visit = 33 THEN r1.visit END) $visit r1");
refused('NULLIF as of the whole group', 'SM015', "$other 2", 'visits', components => '[[1, 0], [2, 0]]', tables => $named,
	sql => "SELECT count(*), sum(nullif(r1.visit, 7)) $visit r1");
refused('an optional column as of the whole group', 'SM015', "$other 2", 'joined', tables => $both,
	components => '[[1, 0], [2, 0]]', sql => 'SELECT count(*), sum(r2.visit) FROM secmed_published.trial r1
		LEFT JOIN secmed_published.visit r2 ON r2.patient_id = r1.patient_id AND r2.visit = 33');
refused("two FILTERs as one part", 'SM015', "$other 2", 'visits', tables => $named, components => '[[1, 1], [2, 1]]',
	sql => "SELECT count(*) FILTER (WHERE r1.patient_id > 8), sum(r1.visit) FILTER (WHERE r1.patient_id = 8) $visit r1");
refused('the whole group as a part with a FILTER', 'SM015', "$other 2", 'visits', tables => $named, components => '[[1, 1], [2, 1]]',
	sql => "SELECT count(*), sum(r1.visit) FILTER (WHERE r1.patient_id = 8) $visit r1");

# Keys -----------------------------------------------------------------------

my $trial = 'FROM secmed_published.trial r1';
my $keys = 'other public values';
refused('a value more than published', 'SM015', $keys, 'sex', keys => '[["smallint", ["1", "2", "3"]]]');
refused('a value less', 'SM015', $keys, 'sex', keys => '[["smallint", ["1"]]]');
refused('NULL as well', 'SM015', $keys, 'sex', keys => '[["smallint", ["1", "2", null]]]');
refused('values in another order', 'SM015', $keys, 'sex', keys => '[["smallint", ["2", "1"]]]');
refused('a value twice', 'SM015', $keys, 'sex', keys => '[["smallint", ["1", "1", "2"]]]');
refused('a key of another type', 'SM015', 'another type', 'sex', keys => '[["integer", ["1", "2"]]]');
refused('a type that nobody has', 'SM015', 'another type', 'sex', keys => '[["open.age", ["1", "2"]]]');
refused('groups of a column without a domain', 'SM015', $keys, 'sex', sql => "SELECT r1.age, count(*) $trial GROUP BY 1",
	tables => '[["trial", [["age", "integer"]]]]', keys => '[["integer", ["60", "61"]]]');
refused('groups of the patient', 'SM015', $keys, 'sex', sql => "SELECT r1.patient_id, count(*) $trial GROUP BY 1",
	tables => '[["trial", [["patient_id", "integer"]]]]', keys => '[["integer", ["8", "11"]]]');
refused('groups of an expression', 'SM015', $keys, 'sex', sql => "SELECT (r1.sex * 10)::smallint, count(*) $trial GROUP BY 1");
refused('groups of a parameter', 'SM003', $meaning, 'sex', sql => "SELECT \$1::smallint, count(*) $trial GROUP BY 1");
refused('groups of a constant', 'SM015', $keys, 'sex', sql => "SELECT 1::smallint, count(*) $trial GROUP BY 1");
refused('one column as two keys', 'SM003', 'keys and components', 'sex_ecog', sql => "SELECT r1.sex, r1.sex, count(*) $trial GROUP BY 1");
refused('keys in another order', 'SM015', '', 'sex_ecog', sql => "SELECT r1.ph_ecog, r1.sex, count(*) $trial GROUP BY 1, 2");
refused('a hidden key', 'SM003', 'keys and components', 'sex', tables => '[["trial", [["ph_ecog", "smallint"], ["sex", "smallint"]]]]',
	sql => "SELECT r1.sex, count(*) $trial GROUP BY r1.sex, r1.ph_ecog");
refused('a hidden key in place of one', 'SM003', 'keys and components|is not grouped by', 'sex_ecog', sql => "SELECT r1.sex, 1::smallint, count(*) $trial GROUP BY r1.sex, r1.ph_ecog");

# Parameters -----------------------------------------------------------------

my $own = "not one of PostgreSQL's own";
for my $type ('open.pair', 'open.age', 'open.secret', 'open.pair[]')
{
	refused("a parameter of type $type", 'SM003', $own, 'later', parameters => "[\"$type\"]",
		sql => "SELECT count(*), sum(r1.visit) $visit r1 WHERE \$1 IS NOT NULL");
}
refused('a parameter of a type that is not there', 'SM003', $meaning, 'later', parameters => '["open.nothing"]');
refused('one of a type that is more than a type', 'SM003', $meaning, 'later', parameters => '["integer); DROP TABLE clinic.visit; --"]');
refused('one that the plan does not have', 'SM003', $meaning, 'visits', sql => "$where r1.visit > \$1");

# Afterwards -----------------------------------------------------------------

my $lie = "$select open.secret r1";
refused('for the last time', 'SM003', 'not published here', 'visits', sql => $lie);
my $run = $c->last_run('research');
for my $name (@hospitals)
{
	is(($c->audit($name, 'statement', "run = '$run' AND kind = 'request'"))[0], $lie, "$name has kept what it was asked");
	$c->ledger_is_whole($name);
	is($c->run($name, "SELECT to_regclass('public.stolen') IS NULL, count(*) FROM clinic.visit") =~ s/\|\d+$//r, 't', "and $name its tables");
}
like(($c->ask($question{visits}))[1], qr/^912\|/, 'and the truth is answered');
my $log = slurp_file($c->{cluster}{lmu}->logfile);
unlike($log, qr/TRAP|was terminated by signal|PANIC|leaked|cache lookup/, 'no server has crashed');

done_testing();
