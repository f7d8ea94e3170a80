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
    [verify_omitted]='%s blobs are left out on purpose: this host must have them already.'
    [verify_good]='%s is whole: %s files, %s (%s bytes).'
    [verify_compare]='SHA-256 of SHA256SUMS, to compare with "sums_sha256" in dist/%s.json where the release was made:
  %s'
)
