# shellcheck shell=bash disable=SC2034 # say.sh reads it
# Every sentence of the host scripts in English. messages.zh.sh has the same keys with the same fields in the same order.
declare -gA MESSAGES # and the values apart: bash 4.2 loses them otherwise
MESSAGES=(
    [warning]='warning: '
    [error]='error: '
    [unexpected]='%s ended with code %s, which nothing foresaw: %s'
    [option_unknown]='%s: this option is not known'
    [option_value]='--lang takes zh or en'
    [argument_extra]='%s: one folder at most'
    [deploy_usage]='usage: sudo ./offline-deploy.sh [OPTION]...

Puts this bundle into service on this host, or leaves the host as it was.
  --root DIR      the folder of the stack (else what the bundle says)
  --mode MODE     all or single (else the mode in service, else the bundle'\''s)
  --yes           do not ask
  --check         only look whether this host is fit; change nothing
  --accept ID     go on although the finding ID refuses; noted in audit.log. May be repeated
  --adopt DIR     take over the stack that was laid out by hand in DIR
  --no-firewall   leave firewalld alone
  --no-backup     do not back up the release in service first; only with --yes, and noted in audit.log
  --lang zh|en    language
  --help          this text
Ends with 0 (in service), 2 (used wrongly), 3 (bundle bad), 4 (somebody else is at work), 5 (host not fit), 6 (failed, nothing
serves that did not before), 7 (failed, the former release serves again), 8 (failed, needs a hand), 130 (interrupted).'
    [option_needs_value]='%s needs a value'
    [no_backup_unsaid]='--no-backup is taken only together with --yes: without a backup nobody can put the data back.'
    [folder_missing]='%s: there is no such folder'
    [verify_usage]='usage: bash scripts/verify.sh [--lang zh|en] [FOLDER]

Verifies an unpacked bundle: every file against SHA256SUMS, nothing beside it, and the images complete.
FOLDER is the bundle that this script is in, unless another is named.
Ends with 0 (whole), 3 (each bad file is named on stdout), 2 (used wrongly) or 1 (unexpected).'
    [verify_start]='Verifying %s: %s files, %s'
    [verify_unreadable]='%s: this file cannot be read'
    [verify_sums_malformed]='SHA256SUMS is not a list of «<64 hex digits>  <path>», so no file can be verified'
    [verify_newer]='This bundle has format %s, and this script knows formats up to %s: use the scripts/verify.sh of the kit that made it, or of a newer one.'
    [verify_bad]='This is not the bundle that was made: %s problems, each named above.
Do not deploy it. Copy the bundle again from where it was made, unpack it into a new folder, and verify it there;
if that one is bad too, ask whoever made the release to make it again. Nothing was changed on this host.'
    [verify_omitted]='%s blobs and %s files are left out on purpose: this host must have them already.'
    [verify_since]='This is a delta: deploy it only on a host that has release %s.'
    [omitted_needs]='This bundle holds only what changed since release %s, and below %s that is not there as it was shipped. Nothing was changed on this host.
  next: deploy that release first, or take the full bundle; where this one was made, that is: invoke package --id %s'
    [verify_good]='%s is whole: %s files, %s (%s bytes).'
    [verify_compare]='SHA-256 of SHA256SUMS, to compare with "sums_sha256" in dist/%s.json where the release was made:
  %s'
)
