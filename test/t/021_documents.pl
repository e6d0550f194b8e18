# 021_documents.pl
#	  Three nodes exchange what people sign: identities, votes, removal, while one
#	  of them is down, after a crash, and from a node that plays false.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Secmed;
use Test::More;

my $tool = "$FindBin::RealBin/secmed";
my $dir = PostgreSQL::Test::Utils::tempdir;
my @nodes = qw(charite lmu gemelli);
my $c = Secmed->new(sites => [@nodes], coordinator => 'charite', conf => "secmed.document_interval = 1s\n");
my %cluster = %{ $c->{cluster} };

# What the tool prints.
sub tool
{
	my ($out, $err);
	IPC::Run::run([ $tool, @_ ], '>', \$out, '2>', \$err) or die "secmed @_: $err";
	return $out;
}

sub write_file
{
	my ($name, $text) = @_;
	open my $file, '>', "$dir/$name" or die "$dir/$name: $!";
	print $file $text;
	close $file;
	return "$dir/$name";
}

# A person with a key file, and an identity document in a file.
sub person
{
	my ($name, @options) = @_;
	tool('keygen', '--person', $name, "$dir/$name.key");
	return write_file("$name.id", tool('identity', "$dir/$name.key", @options));
}

sub submit
{
	my ($node, $document) = @_;
	return $c->run($node, "SELECT secmed.submit_document('$document')");
}

sub vote
{
	my ($node, $voter, $verb, $subject) = @_;
	return submit($node, tool('vote', "$dir/$voter.key", $verb, "$dir/$subject.id"));
}

sub state_at
{
	my ($node, $name) = @_;
	return $c->run($node, "SELECT string_agg(state, ' ') FROM secmed.identities WHERE name = '$name'");
}

# Is it so, soon, at these nodes?
sub becomes
{
	my ($state, $name, @where) = @_;
	my %found;
	my $good = Secmed::within(20, sub {
		%found = map { $_ => state_at($_, $name) } @where;
		return !grep { $_ ne $state } values %found;
	});
	ok($good, "$name is $state at @where") or diag(join ', ', map { "$_: $found{$_}" } sort keys %found);
}

my %document = map { $_ => slurp_file(person($_, '--role', 'governance')) } qw(ada bob);
$document{eve} = slurp_file(person('eve', '--role', 'analyst'));
$document{mallory} = slurp_file(person('mallory'));

# Votes come before anybody is a member, and before what they are about.
vote('lmu', 'ada', 'admit', 'eve');
$c->run($_, "SELECT secmed.admit_founders('$document{ada}', '$document{bob}')") for @nodes;
vote('gemelli', 'bob', 'admit', 'eve');
submit('charite', $document{eve});
becomes('admitted', 'eve', @nodes);

# One is down while members vote; it hears of it when it comes back.
$cluster{gemelli}->stop;
vote('charite', 'ada', 'remove', 'eve');
vote('lmu', 'bob', 'remove', 'eve');
becomes('removed', 'eve', qw(charite lmu));
like($c->run('charite', 'SELECT problem FROM secmed.exchange_documents() WHERE node = $$gemelli$$'), qr/gemelli/,
	'who is down is named');
$cluster{gemelli}->start;
becomes('removed', 'eve', 'gemelli');
my ($code, $out, $err) = $cluster{gemelli}->psql('gemelli', "SELECT secmed.submit_document('$document{eve}')");
like($err, qr/identities that were removed/, 'a removed key signs nothing any more');

# What was committed before a crash goes out after it.
submit('charite', $document{mallory});
$cluster{charite}->stop('immediate');
$cluster{charite}->start;
becomes('proposed', 'mallory', @nodes);

# A node that plays false: a changed signature, and bytes that are no document.
$c->run('lmu', q{
	UPDATE secmed.document SET document = set_byte(document, length(document) - 1, 255 - get_byte(document, length(document) - 1)),
		received_from = NULL, serial = (SELECT max(serial) FROM secmed.document) + 1
	 WHERE hash = (SELECT document FROM secmed.identity WHERE name = 'mallory')});
$c->run('lmu', 'SELECT count(*) FROM secmed.exchange_documents()');
ok(Secmed::within(20, sub { slurp_file($cluster{gemelli}->logfile) =~ /a document that node "lmu" sent was refused/ }),
	'a bad signature is refused, and the log names the node');
$c->run('lmu', q{INSERT INTO secmed.document (hash, kind, document, signatures, serial)
	SELECT sha256('x'), 'vote', '\x00', 1, max(serial) + 1 FROM secmed.document});
$c->run('lmu', 'SELECT count(*) FROM secmed.exchange_documents()');
is($c->run('charite', q{SELECT count(*) FROM secmed.document WHERE document = '\x00'}), '0', 'nor is anything else kept');
is($c->run('gemelli', q{SELECT count(*) FROM secmed.identities WHERE name = 'mallory' AND state = 'proposed'}), '1',
	'and what was good stays');

# An answer that only one reader opens: what the coordinator keeps is sealed.
$c->load_lung;
$c->publish('clinic.trial', 'trial', $Secmed::LUNG_OPTIONS);
$c->import_tables;
my $totals = 'count(*), sum(age) FROM consortium.trial';
my $ada = $c->run('charite', q{SELECT fingerprint FROM secmed.identities WHERE name = 'ada'});
my ($ret, $rows, $said) = $c->ask("SET secmed.result_to = '$ada'; SELECT sex, $totals GROUP BY sex");
is($rows, '', 'no row is shown');
like($said, qr/is sealed to its reader/, 'and who asks is told') or diag $said;
my $sealed = write_file('answer', $c->run('charite', 'SELECT secmed.sealed_answer(run) FROM secmed.sealed_answer'));
my $expected = $c->pooled("SELECT sex, $totals GROUP BY sex ORDER BY sex");
my $opened = join "\n", map { s/\t/|/gr } grep { /^[12]\t/ } split /\n/, tool('open', "$dir/ada.key", $sealed);
is($opened, $expected, 'the reader opens the right totals');
my ($shown, $complaint);
ok(!IPC::Run::run([ $tool, 'open', "$dir/bob.key", $sealed ], '>', \$shown, '2>', \$complaint), 'nobody else does');
like($shown, qr/is for another reader/, 'and hears why');

# All of it is on every ledger.
is($c->run($_, q{SELECT string_agg(outcome, ' ' ORDER BY seq) FROM secmed.audit
	WHERE kind = 'document' AND object LIKE 'identity %'}), 'founded founded admitted removed', "the ledger of $_")
  for @nodes;
is($c->run($_, 'SELECT ok FROM secmed.verify_ledger()'), 't', "and it is whole at $_") for @nodes;

done_testing();
