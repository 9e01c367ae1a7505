"""Line images: reading what came in, and extracting lines from scans and photographs."""
