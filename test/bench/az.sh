#!/bin/sh
# Does the work of token.sh with the Azure CLI, which must sign in first, as on a new VM.
set -eu
umask 077
az login --identity --allow-no-subscriptions --output none
az keyvault secret show --id "$VAULT/secrets/k3s-token" --query value --output tsv >"$OUT.part"
mv "$OUT.part" "$OUT"
