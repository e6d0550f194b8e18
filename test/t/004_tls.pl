# 004_tls.pl
#	  Over TLS with verify-full and certificates, and over TCP without TLS.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Secmed;
use Test::More;

my @hospitals = qw(charite lmu gemelli);
my $query = 'SELECT sex, count(*), avg(age), corr(age, time) FROM consortium.trial GROUP BY sex ORDER BY sex';

for my $transport (qw(tls tcp))
{
	my $c = Secmed->new(sites => \@hospitals, transport => $transport, conf => "secmed.node_timeout = '5s'");
	$c->load_lung;
	$c->publish('clinic.trial', 'trial', $Secmed::LUNG_OPTIONS);
	$c->import_tables;
	$c->same_answer($query, "$transport: the answer");

	my $session = $c->session;
	Secmed::timed($session, $query);
	for my $hospital (@hospitals)
	{
		my @ssl = split /\n/, $c->run($hospital,
			"SELECT s.ssl FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE usename = 'node'");
		cmp_ok(scalar(@ssl), '>', 0, "$transport: $hospital was called");
		my $expected = $transport eq 'tls' ? 't' : 'f';
		is(scalar(grep { $_ ne $expected } @ssl), 0, "$transport: and every connection is like that");
	}
	$session->quit;

	if ($transport eq 'tls')
	{
		my ($card, $good) = ($c->{card}{lmu}, $c->conninfo('research', 'lmu'));
		my $elsewhere = $good =~ s/host=localhost/host=lmu.example/r;
		my $nobody = $good =~ s/sslcert=\S+ sslkey=\S+//r;
		for my $bad ([ $elsewhere, qr/lmu\.example/, 'a server of another name' ],
			[ $nobody, qr/certificate/, 'a node without a certificate' ])
		{
			$c->run('research', "SELECT secmed.remove_peer('lmu'); SELECT secmed.add_peer('$card', '$bad->[0]')");
			my ($ret, $out, $err) = $c->ask($query);
			like($err, qr/ERROR:\s+SM010:.*\blmu\b/, "$bad->[2] is not called");
			like($err, $bad->[1], 'and the cause is told');
		}
	}
	$c->remove;
}

done_testing();
