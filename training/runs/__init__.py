"""What a run leaves behind and shows: checkpoints, record, curves, report, card."""
