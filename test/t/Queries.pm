# Queries.pm
#	  Random tables, and random queries over them: the same for the same srand().
#	  Needs nothing but perl.
#
#     my $tables = Queries->new(smallest => 3);
#     $tables->definitions('shared');     CREATE FOREIGN TABLE ..., or
#     $tables->definitions('clear');      CREATE TABLE ...
#     $tables->rows(qw(p v d));           INSERT ...
#     my $q = $tables->query;             {shared, clear, ordered, types}
#
#     my $tables = Queries->new(smallest => 3, partitioned => 1);
#     $tables->site(k, sites);            what site k of so many holds and publishes of p and v; d is shared
#
# Three tables: p (unique patients), v (their visits, several of each or none)
# and d (a dictionary of what v.code refers to).  "shared" and "clear" are one
# query; if groups with few patients are withheld, "clear" says so in SQL.
#
# An expression is {sql, kind, low, high, width, scale, fraction}: what range its
# numbers can have, and bytes of PostgreSQL's integer, so that nothing
# overflows; digits after the point of a numeric, which are the same in every
# row, so that answers can be compared digit for digit; and bits after the point
# of a double precision value, which are few, so that products are exact.
package Queries;

use strict;
use warnings;

my @KINDS = qw(integer numeric boolean date timestamp text float);
my @TEXTS = ('', 'a', 'a ', 'ab', 'abc', 'b', 'Z', 'z', "\x{e4}", "z\x{e4}", 'x1', '0', '10');
my @CODES = qw(I10 E11 J45 C50 M54 Z00 A);
my @DATES = qw(2020-02-28 2020-02-29 2020-03-01 1999-12-31 2000-01-01 1970-01-01 1900-03-01 2024-12-31
  2021-06-15 0001-01-01 9999-12-31);
my @TIMES = ('00:00:00', '23:59:59.999999', '12:00:00', '00:00:00.000001');
my %CONSTANT = (
	integer => { width => 4, low => -100, high => 200 },
	numeric => { scale => 1, low => -100, high => 200 },
	float => { fraction => 3, low => -100, high => 200 },
	text => { len => 6 });
my %INTEGER = (2 => 'smallint', 4 => 'integer', 8 => 'bigint');
my $INTEGERS_TO = 2**52;		# what perl's numbers hold exactly
my $NUMERICS_TO = 1e17;
my $SITE_ROWS = 64;				# the least there is
my $USES = 'aggregate,group,filter,join,extreme';

sub pick { return $_[ int rand @_ ] }
sub chance { return rand() < shift }
sub between { my ($low, $high) = @_; return $low + int rand($high - $low + 1) }
sub least { my ($least) = @_; for (@_) { $least = $_ if $_ < $least } return $least }
sub most { my ($most) = @_; for (@_) { $most = $_ if $_ > $most } return $most }

sub new
{
	my ($class, %option) = @_;
	my $self = bless { smallest => 1, scope => [], %option }, $class;
	$self->{tables} = { map { $_ => $self->random_table($_) } qw(p v d) };
	return $self;
}

# Tables ---------------------------------------------------------------------

sub random_table
{
	my ($self, $name) = @_;
	my @columns;
	push @columns, { name => 'patient', kind => 'integer', bits => 16, width => 4, low => 1, high => 50 } if $name ne 'd';
	push @columns, { name => 'code', kind => 'text', len => 3, nullable => $name eq 'v', values => \@CODES } if $name ne 'p';
	push @columns, { name => 'grp', kind => 'integer', bits => 4, width => 2, low => -1, high => 3, nullable => chance(0.5) };
	push @columns, random_column(pick(@KINDS), $_) for 1 .. between(2, 4);
	push @columns, random_column($_, 9) for @KINDS;
	my $rows = chance(0.15) ? between(0, 1) : $name eq 'd' ? between(2, 7) : between(10, 30);
	return { name => $name, columns => \@columns, rows => [ map { random_row($_, \@columns, $name) } 1 .. $rows ] };
}

sub random_column
{
	my ($kind, $number) = @_;
	my $column = { kind => $kind, name => substr($kind, 0, 2) . $number, nullable => chance(0.6), few => chance(0.4) };
	if ($kind eq 'integer')
	{
		$column->{width} = pick(2, 4, 4, 8);
		$column->{bits} = pick(2 .. 12, 8 * least($column->{width}, 4));
	}
	if ($kind eq 'numeric')
	{
		$column->{precision} = between(1, 9);
		$column->{scale} = between(0, least(3, $column->{precision}));
	}
	$column->{bits} = between(28, 33) if $kind eq 'float';
	$column->{len} = pick(1, 3, 6) if $kind eq 'text';
	return set_range($column);
}

sub set_range
{
	my ($column) = @_;
	my $kind = $column->{kind};
	@$column{qw(low high)} = (-2**($column->{bits} - 1), 2**($column->{bits} - 1) - 1) if $kind eq 'integer';
	@$column{qw(low high)} = (-10**($column->{precision} - $column->{scale}), 10**($column->{precision} - $column->{scale})) if $kind eq 'numeric';
	@$column{qw(low high fraction)} = (-2**($column->{bits} - 25), 2**($column->{bits} - 25) - 1, 3) if $kind eq 'float';
	return $column;
}

sub random_row
{
	my ($number, $columns, $table) = @_;
	return [ map {
			$_->{name} eq 'patient' && $table eq 'p' ? $number + 3
			: $_->{name} eq 'patient' ? between(1, 15)
			: $_->{name} eq 'code' && $table eq 'd' ? "'$CODES[$number - 1]'"
			: random_value($_)
		  } @$columns ];
}

# A value of a column as a literal: small, at the ends of the range, or NULL.
sub random_value
{
	my ($column) = @_;
	return 'NULL' if $column->{nullable} && chance(0.2);
	return literal_of($column);
}

sub literal_of
{
	my ($type) = @_;
	my $kind = $type->{kind};
	return pick('true', 'false') if $kind eq 'boolean';
	return "DATE '" . pick($type->{few} ? @DATES[ 0 .. 3 ] : @DATES) . "'" if $kind eq 'date';
	return "TIMESTAMP '" . pick($type->{few} ? @DATES[ 0 .. 1 ] : @DATES) . ' ' . pick(@TIMES) . "'" if $kind eq 'timestamp';
	return quote(pick($type->{values} ? @{ $type->{values} } : grep { bytes_of($_) <= $type->{len} } @TEXTS)) if $kind eq 'text';
	return decimal(random_number($type), $type->{scale}) if $kind eq 'numeric';
	my $number = random_number($type);
	return $number if $kind eq 'integer';
	$number += between(0, 7) / 8 if $number < $type->{high};
	return "'$number'::double precision";
}

sub bytes_of { my $text = shift; utf8::encode($text); return length $text }

sub quote
{
	my ($text) = @_;
	utf8::encode($text);
	return "'$text'";
}

# A whole number in the range, most often a small one.
sub random_number
{
	my ($type) = @_;
	my ($low, $high) = @$type{qw(low high)};
	($low, $high) = ($low + 1, $high - 1) if $type->{kind} eq 'numeric';
	return pick($low, $high) if chance(0.1);
	return between(most($low, -3), least($high, $type->{few} ? 1 : 4)) if $type->{few} || chance(0.5);
	return between(most($low, -1e9), least($high, 1e9));
}

# With digits after the point.  Below 10^precision, also with these.
sub decimal
{
	my ($number, $scale) = @_;
	return $number unless $scale;
	return sprintf '%d.%0*d', $number, $scale, between(0, 10**$scale - 1);
}

sub sql_type
{
	my ($column) = @_;
	my %type = (
		boolean => 'boolean', date => 'date', timestamp => 'timestamp', float => 'double precision',
		integer => $INTEGER{ $column->{width} // 4 },
		numeric => sprintf('numeric(%d,%d)', $column->{precision} // 0, $column->{scale} // 0),
		text => sprintf('varchar(%d) COLLATE "C"', $column->{len} // 0));
	return $type{ $column->{kind} };
}

sub column_list
{
	my ($table, $how) = @_;
	return join ', ', map {
		my @options = ($how ne 'clear' && $_->{bits} ? "bits '$_->{bits}'" : (), $how eq 'published' ? "uses '$USES'" : ());
		my ($type, $collate) = sql_type($_) =~ /^(.*?)( COLLATE.*)?$/;
		join ' ', $_->{name}, $type, @options ? 'OPTIONS (' . join(', ', @options) . ')' : (), $collate // (), $_->{nullable} ? () : 'NOT NULL'
	} @{ $table->{columns} };
}

sub definitions
{
	my ($self, $how) = @_;
	my %options = (
		p => "patient 'patient', unique 'patient', threshold '$self->{smallest}'",
		v => "patient 'patient', threshold '$self->{smallest}'",
		d => "unique 'code', threshold '1'");
	my $sql = '';
	for my $table (map { $self->{tables}{$_} } qw(p v d))
	{
		my $columns = column_list($table, $how);
		$sql .= $how eq 'shared' && $self->{partitioned} && $table->{name} ne 'd' ? $self->published($table)
		  : $how eq 'shared'
		  ? "CREATE FOREIGN TABLE $table->{name} ($columns) SERVER consortium OPTIONS (kind 'shared', $options{$table->{name}});\n"
		  : "CREATE TABLE $table->{name} ($columns);\n";
	}
	return $sql;
}

sub rows
{
	my ($self, @names) = @_;
	return join '', map {
		my @rows = map { '(' . join(', ', @$_) . ')' } @{ $_->{rows} };
		@rows ? "INSERT INTO $_->{name} VALUES " . join(', ', @rows) . ";\n" : ();
	} map { $self->{tables}{$_} } @names;
}

# A patient is at one site.
sub site
{
	my ($self, $site, $sites) = @_;
	my $sql = 'SELECT secmed.unpublish(name) FROM secmed.published; DROP TABLE IF EXISTS public.p, public.v;';
	for my $table (map { $self->{tables}{$_} } qw(p v))
	{
		my $name = $table->{name};
		my @rows = map { '(' . join(', ', @$_) . ')' } grep { $_->[0] % $sites == $site } @{ $table->{rows} };
		$sql .= "CREATE TABLE $name (" . column_list($table, 'clear') . ($name eq 'p' ? ', PRIMARY KEY (patient)' : '') . ");\n";
		$sql .= "INSERT INTO $name VALUES " . join(', ', @rows) . ";\n" if @rows;
		$sql .= "SELECT secmed.publish('$name', patient => 'patient', min_patients => $self->{smallest}, rows_max => $SITE_ROWS);\n";
		$sql .= "SELECT secmed.set_column_policy('$name', '$_->{name}', uses => '{$USES}');\n" for @{ $table->{columns} };
	}
	return $sql;
}

sub published
{
	my ($self, $table) = @_;
	my $unique = $table->{name} eq 'p' ? "unique 'patient', " : '';
	return "CREATE FOREIGN TABLE $table->{name} (" . column_list($table, 'published') . ") SERVER consortium OPTIONS (table '$table->{name}', "
	  . "patient 'patient', ${unique}threshold '$self->{smallest}', rows_max '$SITE_ROWS');\n";
}

# Expressions ----------------------------------------------------------------

# One of the columns in scope, or a constant.
sub leaf
{
	my ($self, $kind) = @_;
	my @columns = grep { $_->{kind} eq $kind } @{ $self->{scope} };
	return { %{ pick(@columns) } } if @columns && chance(0.8);
	return $self->constant($kind);
}

sub constant
{
	my ($self, $kind, $like) = @_;
	my $e = { kind => $kind, %{ $CONSTANT{$kind} // {} }, %{ $like // {} } };
	delete $e->{values} if chance(0.2);
	$e->{sql} = literal_of($e);
	$e->{sql} = "($e->{sql})" if $e->{sql} =~ /^-/;
	$e->{sql} = "($e->{sql}::text COLLATE \"C\")" if $kind eq 'text';
	$e->{sql} .= '::numeric' if $kind eq 'numeric' && !$e->{scale};
	return $e;
}

sub expression
{
	my ($self, $kind, $depth) = @_;
	return $self->leaf($kind) if $depth <= 0 || chance(0.25);
	my %make = (
		boolean => [qw(comparison comparison comparison junction junction negation membership range null_test truth choice)],
		integer => [qw(arithmetic arithmetic minus date_difference integer_of_boolean choice)],
		numeric => [qw(arithmetic arithmetic minus numeric_of_integer date_part choice)],
		float => [qw(arithmetic minus float_of_integer choice)],
		date => [qw(date_moved choice)],
		timestamp => [qw(timestamp_of_date choice)],
		text => [qw(choice)]);
	my $how = pick(@{ $make{$kind} });
	return $self->$how($kind, $depth - 1) // $self->leaf($kind);
}

# Are all values of the expression what PostgreSQL and shares can hold?
sub fits
{
	my ($e) = @_;
	my $size = most(-$e->{low}, $e->{high});
	return $size < least($INTEGERS_TO, 2**(8 * $e->{width} - 1)) if $e->{kind} eq 'integer';
	return $size * 10**$e->{scale} < $NUMERICS_TO if $e->{kind} eq 'numeric';
	return $size < 2**30 && $e->{fraction} <= 12;
}

sub arithmetic
{
	my ($self, $kind, $depth) = @_;
	my ($a, $b) = ($self->expression($kind, $depth), $self->expression($kind, $depth));
	my $op = pick('+', '-', '*');
	my %e = (sql => "($a->{sql} $op $b->{sql})", kind => $kind);
	my @ends =
	    $op eq '+' ? ($a->{low} + $b->{low}, $a->{high} + $b->{high})
	  : $op eq '-' ? ($a->{low} - $b->{high}, $a->{high} - $b->{low})
	  : map { my $x = $_; map { $x * $_ } @$b{qw(low high)} } @$a{qw(low high)};
	@e{qw(low high)} = (least(@ends), most(@ends));
	$e{width} = most($a->{width}, $b->{width}) if $kind eq 'integer';
	for my $digits ($kind eq 'numeric' ? 'scale' : $kind eq 'float' ? 'fraction' : ())
	{
		$e{$digits} = $op eq '*' ? $a->{$digits} + $b->{$digits} : most($a->{$digits}, $b->{$digits});
	}
	return fits(\%e) ? \%e : undef;
}

sub minus
{
	my ($self, $kind, $depth) = @_;
	my $a = $self->expression($kind, $depth);
	my $e = { %$a, sql => "(- $a->{sql})", low => -$a->{high}, high => -$a->{low} };
	return fits($e) ? $e : undef;
}

sub date_difference
{
	my ($self, $kind, $depth) = @_;
	my ($a, $b) = map { $self->expression('date', $depth) } 1 .. 2;
	return { sql => "($a->{sql} - $b->{sql})", kind => 'integer', width => 4, low => -4_000_000, high => 4_000_000 };
}

sub integer_of_boolean
{
	my ($self, $kind, $depth) = @_;
	my $a = $self->expression('boolean', $depth);
	return { sql => "($a->{sql})::integer", kind => 'integer', width => 4, low => 0, high => 1 };
}

sub numeric_of_integer
{
	my ($self, $kind, $depth) = @_;
	my $a = $self->expression('integer', $depth);
	return { sql => "($a->{sql})::numeric", kind => 'numeric', scale => 0, low => $a->{low}, high => $a->{high} };
}

sub float_of_integer
{
	my ($self, $kind, $depth) = @_;
	my $a = $self->expression('integer', $depth);
	my $e = { sql => "($a->{sql})::double precision", kind => 'float', fraction => 0, low => $a->{low}, high => $a->{high} };
	return fits($e) ? $e : undef;
}

sub date_part
{
	my ($self, $kind, $depth) = @_;
	my $a = $self->expression('date', $depth);
	my $part = pick(qw(year quarter month day dow));
	return { sql => "extract($part FROM $a->{sql})", kind => 'numeric', scale => 0, low => -5000, high => 14000 };
}

sub date_moved
{
	my ($self, $kind, $depth) = @_;
	my $a = $self->expression('date', $depth);
	return $depth < 1 ? { sql => "($a->{sql} " . pick('+', '-') . ' ' . between(0, 800) . ')', kind => 'date' } : undef;
}

sub timestamp_of_date
{
	my ($self, $kind, $depth) = @_;
	my $a = $self->expression('date', $depth);
	return { sql => "($a->{sql})::timestamp", kind => 'timestamp' };
}

# Several expressions that give one type: their range is around all of them.
sub alike
{
	my ($self, $kind, $depth, $n) = @_;
	my @e = map { $self->expression($kind, $depth) } 1 .. $n;
	for my $e (@e)
	{
		$e = $self->constant($kind, { scale => $e[0]{scale} }) if $kind eq 'numeric' && $e->{scale} != $e[0]{scale};
	}
	my %type = (kind => $kind);
	if (defined $e[0]{low})
	{
		@type{qw(low high)} = (least(map { $_->{low} } @e), most(map { $_->{high} } @e));
	}
	for my $digits (qw(width scale fraction))
	{
		$type{$digits} = most(map { $_->{$digits} } @e) if defined $e[0]{$digits};
	}
	return (\%type, map { $_->{sql} } @e);
}

sub choice
{
	my ($self, $kind, $depth) = @_;
	my ($type, $a, $b, $c) = $self->alike($kind, $depth, 3);
	my $when = $self->expression('boolean', $depth);
	my @forms = ("CASE WHEN $when->{sql} THEN $a ELSE $b END", "CASE WHEN $when->{sql} THEN $a END",
		"CASE WHEN $when->{sql} THEN $a WHEN $b IS NULL THEN $c ELSE $b END", "coalesce($a, $b)", "coalesce($a, $b, $c)");
	push @forms, "least($a, $b)", "greatest($a, $b, $c)", "nullif($a, $b)", "CASE $a WHEN $b THEN $c ELSE $a END" if $kind ne 'boolean';
	return { %$type, sql => '(' . pick(@forms) . ')' };
}

sub comparison
{
	my ($self, undef, $depth) = @_;
	my $kind = pick(@KINDS);
	my $a = $self->expression($kind, $depth);
	my $b = chance(0.5) ? $self->constant($kind, $a) : $self->expression($kind, $depth);
	my $op = pick('=', '<>', '<', '<=', '>', '>=', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM');
	return { sql => "($a->{sql} $op $b->{sql})", kind => 'boolean' };
}

sub junction
{
	my ($self, $kind, $depth) = @_;
	my $op = pick(' AND ', ' OR ');
	return { sql => '(' . join($op, map { $self->expression('boolean', $depth)->{sql} } 1 .. between(2, 3)) . ')', kind => 'boolean' };
}

sub negation
{
	my ($self, $kind, $depth) = @_;
	return { sql => '(NOT ' . $self->expression('boolean', $depth)->{sql} . ')', kind => 'boolean' };
}

sub membership
{
	my ($self, undef, $depth) = @_;
	my $kind = pick(grep { $_ ne 'boolean' } @KINDS);
	my $a = $self->expression($kind, $depth);
	my @list = map { $self->constant($kind, $a)->{sql} } 1 .. between(1, 4);
	push @list, 'NULL' if chance(0.1);
	my $not = pick('', 'NOT ');
	return { sql => "($a->{sql} ${not}IN (" . join(', ', @list) . '))', kind => 'boolean' };
}

sub range
{
	my ($self, undef, $depth) = @_;
	my $kind = pick(grep { $_ ne 'boolean' } @KINDS);
	my ($type, $a, $b, $c) = $self->alike($kind, $depth, 3);
	my $not = pick('', 'NOT ');
	return { sql => "($a ${not}BETWEEN $b AND $c)", kind => 'boolean' };
}

sub null_test
{
	my ($self, undef, $depth) = @_;
	my $a = $self->expression(pick(@KINDS), $depth);
	return { sql => "($a->{sql} IS " . pick('', 'NOT ') . 'NULL)', kind => 'boolean' };
}

sub truth
{
	my ($self, undef, $depth) = @_;
	my $a = $self->expression('boolean', $depth);
	return { sql => "($a->{sql} IS " . pick('', 'NOT ') . pick('TRUE', 'FALSE', 'UNKNOWN') . ')', kind => 'boolean' };
}

# Aggregates -----------------------------------------------------------------

# {shared, clear, float}: "clear" is NULL if too few patients contribute.
sub aggregate
{
	my ($self) = @_;
	my $kind = pick(@KINDS, 'integer', 'numeric');
	my $arg = $self->expression($kind, pick(0, 0, 1, 2))->{sql};
	my @forms = ([ 'count(*)', 0 ], [ 'count(%s)', 0 ], [ 'count(DISTINCT %s)', 0 ]);
	push @forms, [ 'min(%s)', $kind eq 'float' ], [ 'max(%s)', $kind eq 'float' ] if $kind ne 'boolean';
	push @forms, [ 'bool_and(%s)', 0 ], [ 'bool_or(%s)', 0 ], [ 'every(%s)', 0 ] if $kind eq 'boolean';
	push @forms, map { [ "$_(%s)", $kind eq 'float' ] } qw(sum avg sum avg variance stddev_pop var_pop stddev) if $kind =~ /integer|numeric|float/;
	push @forms, [ "percentile_disc(" . pick(0, 0.25, 0.5, 0.9, 1) . ") WITHIN GROUP (ORDER BY %s)", $kind eq 'float' ] if $kind !~ /text|boolean/;
	push @forms, [ "percentile_cont(" . pick(0, 0.25, 0.5, 0.9, 1) . ") WITHIN GROUP (ORDER BY %s)", 1 ] if $kind =~ /integer|float/ || $arg =~ /^[a-z]\w*\.\w+$/ && $kind eq 'numeric';
	my ($form, $float) = @{ pick(@forms) };
	my $filter = chance(0.25) ? $self->expression('boolean', 2)->{sql} : '';
	my $sql = ($form =~ s/%s/$arg/r) . ($filter && " FILTER (WHERE $filter)");
	my @support = ($filter || (), $form =~ /%s/ ? "$arg IS NOT NULL" : ());
	return { shared => $sql, clear => $self->if_enough($sql, @support), float => $float };
}

# If at least so many patients have a row of which this is true.
sub if_enough
{
	my ($self, $sql, @conditions) = @_;
	return $sql if $self->{smallest} == 1;
	my $filter = @conditions ? ' FILTER (WHERE ' . join(' AND ', @conditions) . ')' : '';
	return "CASE WHEN count(DISTINCT $self->{patient})$filter >= $self->{smallest} THEN $sql END";
}

# FROM -----------------------------------------------------------------------

# The columns of a table under an alias come into scope.
sub bring
{
	my ($self, $table, $alias) = @_;
	push @{ $self->{scope} }, map { { %$_, sql => "$alias.$_->{name}" } } @{ $self->{tables}{$table}{columns} };
	$self->{patient} //= "$alias.patient" if $table ne 'd';
	return $table eq $alias ? $table : "$table $alias";
}

# With the scope of a table alone.
sub about
{
	my ($self, $table, $alias, $depth) = @_;
	local $self->{scope} = [];
	local $self->{patient};
	$self->bring($table, $alias);
	return $self->expression('boolean', $depth)->{sql};
}

sub from
{
	my ($self) = @_;
	@$self{qw(scope patient)} = ([], undef);
	my @forms = qw(one_table one_table one_table joined joined joined exists exists grouped grouped);
	push @forms, qw(many_to_many many_to_many left_joined plain_subquery plain_subquery) if $self->{smallest} == 1;
	my $how = pick(@forms);
	return $self->$how;
}

sub one_table
{
	my ($self) = @_;
	my $name = pick('p', 'v', $self->{smallest} == 1 ? 'd' : ());
	return $self->bring($name, $name);
}

sub joined
{
	my ($self) = @_;
	my @forms = (
		sub { $self->bring('v', 'v') . ' JOIN ' . $self->bring('p', 'p') . ' ON v.patient = p.patient' },
		sub { $self->bring('v', 'v') . ' JOIN ' . $self->bring('d', 'd') . ' ON v.code = d.code' },
		sub { $self->bring('v', 'v') . ' LEFT JOIN ' . $self->bring('d', 'd') . ' USING (code)' },
		sub {
			$self->bring('v', 'v') . ' JOIN ' . $self->bring('p', 'p') . ' ON v.patient = p.patient LEFT JOIN '
			  . $self->bring('d', 'd') . ' ON v.code = d.code';
		});
	push @forms, sub {
		my $condition = $self->about('p', 'p', 1);
		$self->bring('v', 'v') . ' LEFT JOIN ' . $self->bring('p', 'p') . " ON v.patient = p.patient AND $condition";
	} if $self->{smallest} == 1;
	return pick(@forms)->();
}

# Keys that are unique on neither side.
sub many_to_many
{
	my ($self) = @_;
	return $self->bring('v', 'v') . ' JOIN ' . $self->bring('p', 'p') . ' ON v.grp = p.grp' if chance(0.5);
	return $self->bring('v', 'a') . ' JOIN ' . $self->bring('v', 'b') . ' ON a.code = b.code AND a.patient = b.patient' if chance(0.5);
	return $self->bring('d', 'd') . ', ' . $self->bring('v', 'v') . ' WHERE d.grp = v.grp';
}

sub left_joined
{
	my ($self) = @_;
	my $bill = '(SELECT v.patient AS who, sum(v.grp) AS total, count(v.code) AS n FROM v GROUP BY v.patient) q';
	return $self->bring('d', 'd') . ' LEFT JOIN ' . $self->bring('v', 'v') . ' ON d.code = v.code' if chance(0.1);
	my $from = $self->bring('p', 'p') . " LEFT JOIN $bill ON p.patient = q.who";
	push @{ $self->{scope} }, map { { sql => "q.$_", kind => 'integer', width => 8, low => -100, high => 100 } } qw(total n);
	return $from;
}

sub exists
{
	my ($self) = @_;
	my $condition = $self->about('v', 'x', 2);
	my $outer = $self->bring('p', 'p');
	my $not = pick('', 'NOT ');
	return "$outer WHERE p.patient IN (SELECT x.patient FROM v x WHERE $condition)" if chance(0.3);
	return "$outer WHERE ${not}EXISTS (SELECT FROM v x WHERE x.patient = p.patient AND $condition)";
}

# A sub-query that groups by patients: aggregates per patient are integers.
sub grouped
{
	my ($self) = @_;
	my $sql;
	{
		local $self->{scope} = [];
		local $self->{patient};
		$self->bring('v', 'v');
		my $where = chance(0.5) ? ' WHERE ' . $self->expression('boolean', 2)->{sql} : '';
		my $arg = $self->expression('integer', 1)->{sql};
		my $having = chance(0.3) ? ' HAVING count(*) ' . pick('>', '<') . ' ' . between(1, 3) : '';
		$sql = "(SELECT v.patient AS who, count(*) AS n, max($arg) AS top, count(DISTINCT v.grp) AS groups FROM v$where GROUP BY v.patient$having) q";
	}
	$self->{patient} = 'q.who';
	push @{ $self->{scope} }, map { { sql => "q.$_", kind => 'integer', width => 8, low => 0, high => 100 } } qw(n groups);
	push @{ $self->{scope} }, { sql => 'q.top', kind => 'integer', width => 4, low => -2**31 + 1, high => 2**31 - 1 };
	# Of the sites' patients a sub-query passes on numbers.
	push @{ $self->{scope} }, { sql => 'q.who', kind => 'integer', width => 4, low => 1, high => 50 } unless $self->{partitioned};
	return $sql if chance(0.5);
	return $self->bring('p', 'p') . " JOIN $sql ON p.patient = q.who";
}

sub plain_subquery
{
	my ($self) = @_;
	my ($sql, @columns);
	{
		local $self->{scope} = [];
		local $self->{patient};
		my $name = pick('p', 'v');
		$self->bring($name, $name);
		@columns = map { $self->expression(pick(@KINDS), 1) } 1 .. 4;
		my $list = join ', ', map { "$columns[$_]{sql} AS c$_" } 0 .. 3;
		my $where = $self->expression('boolean', 2)->{sql};
		$sql = '(SELECT ' . pick('', 'DISTINCT ') . "$list FROM $name WHERE $where) q";
	}
	push @{ $self->{scope} }, map { { %{ $columns[$_] }, sql => "q.c$_" } } 0 .. 3;
	return $sql;
}

# Queries --------------------------------------------------------------------

sub query
{
	my ($self) = @_;
	my $from = $self->from;
	if (chance(0.4))
	{
		$from .= ($from =~ /\bWHERE\b(?!.*\))|EXISTS|\bIN \(SELECT/ && $from !~ /\) q\b/ ? ' AND ' : ' WHERE ')
		  . $self->expression('boolean', pick(1, 2, 3))->{sql};
	}
	return $self->of_rows($from) if $self->{smallest} == 1 && chance(0.2);
	return $self->of_groups($from);
}

# Rows, with or without order; all that is asked for is in the order.
sub of_rows
{
	my ($self, $from) = @_;
	my @items = map { $self->expression($_, 1) } map { pick(@KINDS) } 1 .. between(1, 3);
	my $list = join ', ', map { $_->{sql} } @items;
	my $order = $self->order(map { $_ + 1 } 0 .. $#items);
	my $sql = 'SELECT ' . pick('', 'DISTINCT ') . "$list FROM $from$order";
	return { shared => $sql, clear => $sql, ordered => $order ne '', float => [ map { $_->{kind} eq 'float' } @items ] };
}

# What to group by; mostly something of few values where small groups are withheld.
sub key
{
	my ($self) = @_;
	my ($few) = grep { $_->{sql} =~ /\.(grp|n)$/ } @{ $self->{scope} };
	return { %$few } if $few && chance($self->{smallest} > 1 ? 0.6 : 0.1);
	return $self->expression($self->{smallest} > 1 ? 'boolean' : pick(@KINDS), pick(0, 0, 1));
}

sub of_groups
{
	my ($self, $from) = @_;
	my @keys = map { $self->key } 1 .. pick(0, 1, 1, 1, 2, 3);
	my @aggregates = map { $self->aggregate } 1 .. between(@keys ? 0 : 1, 3);
	my @positions = map { $_ + 1 } 0 .. $#keys;
	# Sites give all groups of public values, withheld ones too: told by the count, and not to be cut by a LIMIT.
	push @aggregates, { shared => 'count(*)', clear => $self->if_enough('count(*)'), float => 0 } if $self->{partitioned};
	my $order = @keys && !$self->{partitioned} && chance(0.4) ? $self->order(@positions) : '';
	my $having = @keys && chance(0.3) ? $self->aggregate : undef;
	my $bound = pick('IS NOT NULL', 'IS NULL', 'IS DISTINCT FROM NULL');
	$having = { shared => 'count(*)', clear => $self->if_enough('count(*)') } if $having && chance(0.7);
	$bound = pick('>', '<', '<>', '>=') . ' ' . between(0, 5) if $having && $having->{shared} eq 'count(*)';
	my %query = (of_sites => $self->{partitioned}, ordered => $order ne '', float => [ (map { $_->{kind} eq 'float' } @keys), map { $_->{float} } @aggregates ]);
	for my $how (qw(shared clear))
	{
		my @having = $having ? "$having->{$how} $bound" : ();
		push @having, "count(DISTINCT $self->{patient}) >= $self->{smallest}" if $how eq 'clear' && $self->{smallest} > 1 && @keys;
		$query{$how} = 'SELECT ' . join(', ', (map { $_->{sql} } @keys), map { $_->{$how} } @aggregates) . " FROM $from"
		  . (@keys ? ' GROUP BY ' . join(', ', @positions) : '')
		  . (@having ? ' HAVING ' . join(' AND ', @having) : '') . $order;
	}
	return \%query;
}

sub order
{
	my ($self, @positions) = @_;
	return '' if chance(0.5);
	my $order = ' ORDER BY ' . join ', ', map { $_ . pick('', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST') } @positions;
	$order .= ' LIMIT ' . pick(0, 1 .. 8, 20) if chance(0.5);
	$order .= ' OFFSET ' . between(0, 3) if chance(0.3);
	return $order;
}

1;
