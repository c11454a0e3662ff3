#!/bin/sh
# token.sh with the Azure CLI, which signs in first: a VM that comes up has not yet.
set -eu
umask 077
az login --identity --allow-no-subscriptions --output none
az keyvault secret show --id "$VAULT/secrets/k3s-token" --query value --output tsv >"$OUT.part"
mv "$OUT.part" "$OUT"
