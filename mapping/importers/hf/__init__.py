"""A workload from the `config.json` of a model of Hugging Face transformers."""

from hwsim.mapping.importers.hf.importing import Imported, import_config, import_file

__all__ = ["Imported", "import_config", "import_file"]
