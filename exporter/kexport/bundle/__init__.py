"""The language that factory and field share: signature, domain, manifest, goldens, digests, and the folder itself."""
