#!/bin/sh
# Builds sprite.svg from the icons named in icons.txt. Needs Node.js; run it to add an icon or take a newer set.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
cd "$work"
npm install --silent "@tabler/icons@$(cat "$here/VERSION")"
{
  echo '<svg xmlns="http://www.w3.org/2000/svg">'
  for name in $(tr -s ' \n' '\n' < "$here/icons.txt" | sort -u); do
    # Only the strokes: size, colour and width come from the class "icon".
    strokes=$(sed '1,/>/d;/<path stroke="none"/d;/<\/svg>/d' "node_modules/@tabler/icons/icons/outline/$name.svg" | tr -d '\n' | tr -s ' ')
    echo "<symbol id=\"$name\" viewBox=\"0 0 24 24\">$strokes</symbol>"
  done
  echo '</svg>'
} > "$here/sprite.svg"
rm -r "$work"
