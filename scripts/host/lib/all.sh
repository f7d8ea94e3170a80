# shellcheck shell=bash
# The library of the scripts that change a host, all of it. Needs LIB, the folder that it is in.

# So that `sudo` finds what people install by hand.
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

for name in facts stored omitted bundle state lock compose steps load prove stored omitted payload hot data switch yaml firstrun up health record back service \
    preflight preflight-host preflight-engine preflight-disk preflight-network preflight-subnet datafiles preflight-data; do
    # shellcheck disable=SC1090 # beside this file
    source "$LIB/$name.sh"
done
unset name
