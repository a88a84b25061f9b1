exec "${TOOL:-wget}" --quiet --no-proxy --timeout=60 --tries=3 --waitretry=1 --output-document=- \
    --header="Authorization: Bearer $KEY" --header='Content-Type: application/json' --post-data="$BODY" \
    "$GATEWAY$CREATE"
