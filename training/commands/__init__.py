"""The subcommands of `sketchgan-train`: each with HELP, add_arguments(parser) and run(args) -> exit status."""
