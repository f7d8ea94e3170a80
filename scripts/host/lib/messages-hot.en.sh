# shellcheck shell=bash disable=SC2034 # say.sh reads it
# The sentences of hot-update.sh, in English.
declare -gA MESSAGES
MESSAGES+=(
    [hot_usage]='usage: sudo bash scripts/hot-update.sh [OPTION]... [FILE]...

Puts hot modules that were edited on this host into service: all of them, or those of the services that the FILEs belong to. Each
Python file is compiled first by the Python of the image that runs it; then the services start on them and are asked. Where one
does not work, the files with which it worked before are live again.
  --from DIR      put the files in DIR into service, at the paths that they have in a bundle (plugins_func/functions/x.py)
  --list          only list every hot module on stdout: service, path, sha256 of what is live, sha256 of what the service works with
  --root DIR      the folder of the stack
  --lang zh|en    language
Ends with 0 (they are live, or nothing differs), 2 (no such module), 4 (somebody else is at work), 5 (nothing could be taken back),
6 (one does not compile; nothing was restarted), 7 (taken back, the former files serve), 8 (needs a hand), 130 (interrupted).'
    [hot_unknown]='%s: no hot module has this name. The nearest: %s'
    [hot_no_proof]='%s is not there: an older kit made this deploy, and kept no copy of what the services work with. Deploy the bundle again, then run this.'
    [hot_nothing]='Nothing differs from what the services work with.'
    [hot_change]='%s: %s is %s (lines: %s)'
    [hot_syntax]='%s, line %s: %s'
    [hot_on_disk]='It lies in %s, and the next start of the service would read it. What the service works with: %s'
    [hot_not_compiled]='The files above do not compile. Nothing was restarted; mend them, then run this again.'
    [hot_no_python]='%s could not compile the files with %s; its words are above.'
    [hot_moving]='%s was written while this was at work. Run it again.'
    [hot_kept_edited]='%s: %s was edited on this host, and not proved; that edit is kept: %s'
    [hot_kept_former]='%s: the former %s is kept: %s'
    [hot_kept_rejected]='%s: %s is not live any longer; it is kept: %s'
    [hot_words]='The last words of %s:'
    [hot_done]='Live and proved: %s files. Restarted: %s'
    [hot_back]='A service did not work with the new files (its log is above): the former ones serve again. The new ones are kept in %s; mend them there, then give that folder with --from or edit again.'
    [hot_not_back]='A service did not work with the new files, and does not work with the former ones either (kept in %s). See its log above and status, mend what they name, then run this again.'
    [step_compile]='Compile what changed'
    [step_replace]='Put the files in their places'
    [step_proved]='Keep them as what the services work with'
    [step_former]='Put the former files back'
    [status_hot]='A hot update was killed, and these may run on other files than are live: %s. scripts/hot-update.sh finishes it.'
)
