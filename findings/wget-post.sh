#!/usr/bin/env bash
# wget and wget2 send a POST again as long as connections break before the answer: up to 20 times in total by default.
#
# Their --tries is known from downloads, where repeating is harmless. One would expect that --post-data is sent once. It
# is sent again with each try, without any option.
# Recorded with GNU Wget 1.21.3 and Wget2 1.99.1 of Debian 12.
. "$(dirname "$0")/lib/common.sh"
need wget wget
wget --version | head -n 1

for how in fin rst; do
    run $how 3 sh -c 'wget --quiet --output-document=- --post-data=x=1 "$URL"'
    expect "wget, three connections end by $how" 4
    run $how 3 sh -c 'wget --tries=1 --quiet --output-document=- --post-data=x=1 "$URL"'
    expect "wget --tries=1, connections end by $how" 1
done

if command -v wget2 >/dev/null; then
    wget2 --version | head -n 1
    for how in fin rst; do
        run $how 3 sh -c 'wget2 --quiet --output-document=- --post-data=x=1 "$URL"'
        expect "wget2, three connections end by $how" 4
    done
fi
conclude
