variable "name" {
  description = "The beginning of every name: letters, digits and hyphens, such as fleet."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,14}[a-z0-9]$", var.name))
    error_message = "3 to 16 lower-case letters, digits and hyphens; the first a letter, the last no hyphen."
  }
}

variable "location" {
  description = "The Azure region, such as westeurope."
  type        = string
}

variable "resource_group_name" {
  description = "An existing resource group; by default a new one is created."
  type        = string
  default     = null
}

variable "key_vault_name" {
  description = "The name of the Key Vault, unique in Azure."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z](-?[0-9A-Za-z]){2,23}$", var.key_vault_name)) && length(var.key_vault_name) <= 24
    error_message = "3 to 24 letters, digits and single hyphens; the first a letter, the last no hyphen."
  }
}

variable "registry_name" {
  description = "The name of the container registry, unique in Azure: letters and digits."
  type        = string

  validation {
    condition     = can(regex("^[0-9A-Za-z]{5,50}$", var.registry_name))
    error_message = "5 to 50 letters and digits, without the suffix .azurecr.io."
  }
}

variable "slipway_url" {
  description = "The URL from which nodes download the executable. It must not contain a secret, because every user of a VM can read it."
  type        = string

  validation {
    condition     = can(regex("^https://[^'\\s]+$", var.slipway_url))
    error_message = "An https address without quotes and blanks."
  }
}

variable "slipway_sha256" {
  description = "The sha256 of the executable: sha256sum slipway-linux-x64."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.slipway_sha256))
    error_message = "64 hexadecimal digits in lower case."
  }
}

variable "ssh_public_key" {
  description = "The public key of the administrator; Azure requires a key or a password for a Linux VM."
  type        = string
}

variable "agents" {
  description = "The agents, by the part of their names after the hyphen, with the size of each."
  type        = map(object({ size = optional(string) }))
  default     = { agent-1 = {} }

  validation {
    condition     = length(setintersection(keys(var.agents), ["server", "observability", "ingress"])) == 0
    error_message = "Other nodes have these names: call no agent server, observability or ingress."
  }

  validation {
    condition     = alltrue([for name in keys(var.agents) : can(regex("^[a-z0-9](-?[a-z0-9]){0,30}$", name))])
    error_message = "The name of an agent has 1 to 31 lower-case letters, digits and single hyphens; the last is no hyphen."
  }
}

variable "observability" {
  description = "Whether there is a node for observability, with its label and taint."
  type        = bool
  default     = true
}

variable "size" {
  description = "The size of the VMs, with the processor of the executable."
  type        = string
  default     = "Standard_B2als_v2"
}

variable "image" {
  description = "The image of the VMs, with systemd and cloud-init."
  type        = object({ publisher = string, offer = string, sku = string, version = string })
  default     = { publisher = "Debian", offer = "debian-13", sku = "13-gen2", version = "latest" }
}

variable "k3s_version" {
  description = "The K3s release for the tag k3s-version; by default that of Slipway."
  type        = string
  default     = null
}

variable "settings" {
  description = "More settings of Slipway for every node (docs/usage/configuration.md), each replacing a whole section; no secret."
  type        = any
  default     = {}
}

variable "flux" {
  description = "The settings of gitops.flux, if Flux manages the cluster."
  type        = any
  default     = null

  validation {
    condition     = var.flux == null || var.flux_git_token != null
    error_message = "Flux needs the token of the Git repository, at every apply: TF_VAR_flux_git_token."
  }
}

variable "flux_git_token" {
  description = "With flux: the token of the Git repository. Set at every apply (TF_VAR_flux_git_token), and stored only in the vault."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
}

variable "secrets_version" {
  description = "Increase it to write new secrets to the vault; docs/usage/configuration.md explains what running nodes do then (consent.tokenChange)."
  type        = number
  default     = 1
}

variable "purge_protection" {
  description = "Whether a deleted vault is kept for 90 days. This cannot be undone."
  type        = bool
  default     = true
}

variable "registry_sku" {
  description = "Basic, Standard or Premium."
  type        = string
  default     = "Basic"

  validation {
    condition     = contains(["Basic", "Standard", "Premium"], var.registry_sku)
    error_message = "Basic, Standard or Premium."
  }
}

variable "pull_role" {
  description = "The role for pulls; with ABAC permissions it is Container Registry Repository Reader."
  type        = string
  default     = "AcrPull"

  validation {
    condition     = contains(["AcrPull", "Container Registry Repository Reader"], var.pull_role)
    error_message = "AcrPull, or Container Registry Repository Reader."
  }
}
