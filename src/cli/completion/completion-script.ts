/** Shells that can complete. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
/** One of `SHELLS`, as it is named on the command line. */
export type Shell = (typeof SHELLS)[number];

/** The word behind which `perch` itself answers how a command line can go on. */
export const COMPLETE = '__complete';

const BASH = `# perch completion for bash
_perch() {
  local line files=
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then files=1; else COMPREPLY+=("\${line%%$'\\t'*}"); fi
  done < <("$1" ${COMPLETE} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [[ -n $files ]]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$2")
  fi
}
complete -F _perch perch
`;

const ZSH = `#compdef perch
# perch completion for zsh
_perch() {
  local line files value about
  local -a found
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      files=1
    else
      value=\${line%%$'\\t'*} about=\${line#*$'\\t'}
      found+=("\${value//:/\\\\:}\${about:+:$about}")
    fi
  done < <("\${words[1]}" ${COMPLETE} "\${(@)words[2,CURRENT]}" 2>/dev/null)
  (( \${#found} )) && _describe -t perch perch found
  [[ -n $files ]] && _files
}
if [[ \${funcstack[1]} == _perch ]]; then _perch "$@"; else compdef _perch perch; fi
`;

const FISH = `# perch completion for fish
function __perch_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in ($words[1] ${COMPLETE} $words[2..-1] 2>/dev/null)
        if test "$line" = ":files"
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c perch -f -k -a '(__perch_complete)'
`;

/** What a shell has to read so that it completes \`perch\`. */
export function completionScript(shell: Shell): string {
  return { bash: BASH, zsh: ZSH, fish: FISH }[shell];
}
