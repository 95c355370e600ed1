"""What puts Trạm on machines: container files, checks of them, helpers of the Makefile."""
