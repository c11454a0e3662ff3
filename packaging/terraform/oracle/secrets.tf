# The join tokens are not resources, because the state would contain them. The output "secrets" has the commands.
resource "oci_kms_vault" "fleet" {
  count          = var.vault_id == null ? 1 : 0
  compartment_id = var.compartment_id
  display_name   = "${var.name}-vault"
  vault_type     = "DEFAULT"
}

data "oci_kms_vault" "fleet" {
  vault_id = var.vault_id == null ? oci_kms_vault.fleet[0].id : var.vault_id
}

resource "oci_kms_key" "secrets" {
  compartment_id      = var.compartment_id
  display_name        = "${var.name}-secrets"
  management_endpoint = data.oci_kms_vault.fleet.management_endpoint
  protection_mode     = "SOFTWARE"

  key_shape {
    algorithm = "AES"
    length    = 32
  }
}
