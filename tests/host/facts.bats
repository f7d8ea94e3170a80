# Reading facts.tsv from bash.

setup() {
    # shellcheck source=scripts/host/lib/facts.sh
    source "$BATS_TEST_DIRNAME/../../scripts/host/lib/facts.sh"
    FACTS=$BATS_TEST_TMPDIR/facts.tsv
    printf 'id\t20261123-210000\nimage\tserver\tmini/server:0123\t-\nimage\tweb\tmini/web:4567\t-\nimages\tno\n' >"$FACTS"
}

@test "a fact that occurs once is given alone" {
    [ "$(fact "$FACTS" id)" = 20261123-210000 ]
}

@test "records of a kind come without the kind, in order, and not those of a kind that only starts alike" {
    [ "$(records "$FACTS" image)" = $'server\tmini/server:0123\t-\nweb\tmini/web:4567\t-' ]
}

@test "a kind that is not there gives nothing" {
    [ -z "$(fact "$FACTS" platform)" ]
    [ -z "$(records "$FACTS" ima)" ]
}
