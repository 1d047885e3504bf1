"""GDDR6-AiM: instruction traces, played to the cycle."""
