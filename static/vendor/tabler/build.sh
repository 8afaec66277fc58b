#!/bin/sh
# Builds tabler.min.css from the parts named in tabler.scss. Needs Node.js; run it only to take a new Tabler.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
cd "$work"
npm install --silent "@tabler/core@$(cat "$here/VERSION")" sass@1.108.2
npx sass --no-source-map --no-charset --style=compressed -I node_modules/@tabler/core/scss "$here/tabler.scss" |
  sed -E 's/--([a-z])/--tblr-\1/g' > "$here/tabler.min.css"
rm -r "$work"
