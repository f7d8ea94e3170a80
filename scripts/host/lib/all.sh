# shellcheck shell=bash
# The library of the scripts that change a host, all of it. Needs LIB, the folder that it is in.

# So that `sudo` finds what people install by hand.
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

LIB_FILES=(say facts stored omitted verify bundle state lock compose steps archive load prove payload hot hot-plan hot-update data adopt switch
    yaml firstrun up health record back service host json status preflight preflight-host preflight-engine preflight-disk
    preflight-network preflight-subnet datafiles preflight-data backup-verify beside beside-database beside-redis beside-files
    restore-plan restore-exchange restore-firstrun restore-losses restore-status drill
    backup backup-before backup-stream backup-database backup-redis backup-files backup-manifest
    backup-retention backup-schedule backup-status)
for name in "${LIB_FILES[@]}"; do
    # shellcheck disable=SC1090 # beside this file
    source "$LIB/$name.sh"
done
unset name
