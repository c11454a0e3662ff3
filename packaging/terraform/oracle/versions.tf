terraform {
  required_version = ">= 1.11"

  required_providers {
    oci = {
      source  = "oracle/oci"
      version = ">= 6.0, < 8.0"
    }
  }
}

# The account comes from ~/.oci/config or from TF_VAR_ and OCI_ variables of the environment.
provider "oci" {
  region = var.region
}

# Oracle Cloud accepts changes of dynamic groups only in the home region of a tenancy.
provider "oci" {
  alias  = "home"
  region = coalesce(var.home_region, var.region)
}
