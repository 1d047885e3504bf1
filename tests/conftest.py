"""Settings that all tests share."""

from hypothesis import settings

# Shared machines are slow at times; a deadline would fail tests that are right. Failures print how to repeat them.
settings.register_profile("hwsim", deadline=None, print_blob=True)
settings.load_profile("hwsim")
