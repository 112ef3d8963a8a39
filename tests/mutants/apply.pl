#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# apply.pl MUTANT TREE: apply one planted bug to a copy of the tree, or say why
# not. Each text to find must stand in its file exactly once, to the letter.
# apply.pl --get KEY MUTANT: print one of its header lines.
use strict;
use warnings;

sub slurp {
    my ($path) = @_;
    open(my $in, '<:raw', $path) or die "$path: cannot be read: $!\n";
    local $/;
    my $text = <$in>;
    close($in);
    return $text;
}

# Headers "key: value" up to the first section; pairs of sections "--- find" and
# "--- replace", and a last "--- end", each with its lines as they are.
sub parse {
    my ($path) = @_;
    my (%head, @pairs);
    my $section = 'first';
    my $line_number = 0;
    for my $line (split(/^/m, slurp($path))) {
        $line_number++;
        if ($line =~ /^--- (find|replace|end)$/) {
            my $next = $1;
            my $allowed = { first => 'find', find => 'replace', replace => 'find end', end => '' }->{$section};
            die "$path:$line_number: found '--- $next' after '--- $section'\n" if $allowed !~ /\b$next\b/;
            $section = $next;
            push @pairs, { find => '', replace => '' } if $section eq 'find';
        } elsif ($section ne 'first') {
            $pairs[-1]{$section} .= $line;
        } elsif ($line =~ /^([a-z]+): (.*)$/) {
            $head{$1} = $2;
        } elsif ($line !~ /^(#.*)?$/) {
            die "$path:$line_number: found '" . substr($line, 0, 40) . "', expected 'key: value' or '--- find'\n";
        }
    }
    for my $key (qw(id source file breaks finds)) {
        die "$path: has no line '$key: …'\n" unless defined $head{$key};
    }
    die "$path: does not end with '--- end'\n" unless $section eq 'end';
    return (\%head, @pairs);
}

if (@ARGV == 3 && $ARGV[0] eq '--get') {
    my ($head) = parse($ARGV[2]);
    print $head->{$ARGV[1]} // '', "\n";
    exit 0;
}
die "usage: apply.pl MUTANT TREE | apply.pl --get KEY MUTANT\n" unless @ARGV == 2;
my ($mutant, $tree) = @ARGV;
my ($head, @pairs) = parse($mutant);
my $path = "$tree/$head->{file}";
my $text = slurp($path);
for my $pair (@pairs) {
    my $find = $pair->{find};
    my $count = 0;
    for (my $at = index($text, $find); $at >= 0; $at = index($text, $find, $at + 1)) {
        $count++;
    }
    die "$mutant: its text stands $count times in $head->{file}, expected exactly once\n" unless $count == 1;
    substr($text, index($text, $find), length($find)) = $pair->{replace};
}
open(my $out, '>:raw', $path) or die "$path: cannot be written: $!\n";
print $out $text;
close($out) or die "$path: cannot be written: $!\n";
