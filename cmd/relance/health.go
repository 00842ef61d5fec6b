package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// healthPatience is how long a process may take to say that it is well.
const healthPatience = 5 * time.Second

func healthCommand() *cobra.Command {
	var address string
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask the process beside this one whether it is well",
		Long: `Asks GET /healthz at INTERNAL_ADDR, where an api, a worker or a serve with the same
environment listens, and ends with 0 only if it is well. It is for the health check of a
container, which holds nothing but this program.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if address == "" {
				c, err := readConfig(processEnvironment())
				if err != nil {
					return err
				}
				if address, err = healthAddress(c.InternalAddr); err != nil {
					return err
				}
			}
			return askHealth(cmd.Context(), address)
		},
	}
	cmd.Flags().StringVar(&address, "url", "", "what to ask instead")
	return cmd
}

// healthAddress is where a process that listens on an address can be asked on the
// machine that it runs on.
func healthAddress(internal string) (string, error) {
	host, port, err := net.SplitHostPort(internal)
	if err != nil {
		return "", fmt.Errorf("INTERNAL_ADDR must be a host and a port such as 127.0.0.1:9090, not %q", internal)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port) + "/healthz", nil
}

func askHealth(ctx context.Context, address string) (err error) {
	ctx, cancel := context.WithTimeout(ctx, healthPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("preparing the question: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("not well: %w", err)
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("not well: %s answers %s", address, response.Status)
	}
	return nil
}
