# A new PostgreSQL cluster in $folder/data, and psycopg. $programs has the server's programs, which run after as_user.
programs=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
need "${programs:-/usr/lib/postgresql/15/bin}/initdb" postgresql
venv psycopg==3.3.4 psycopg-binary==3.3.4
versions psycopg

# The server refuses to run as root.
as_user=()
if [ "$(id -u)" = 0 ]; then
    as_user=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
    chown nobody "$folder"
fi
"${as_user[@]}" "$programs/initdb" --auth=trust --username=finder --no-sync --pgdata="$folder/data" >/dev/null
