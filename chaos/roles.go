package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/relance/relance/devstack"
	"github.com/relance/relance/wassenger/simulator"
)

// This program also plays two of the processes that it breaks: the provider, and
// Redis. roleEnv says which and with what; without it the program is chaos itself.
const roleEnv = "RELANCE_CHAOS_ROLE"

// role is what a process of this program is to be.
type role struct {
	Redis    string        `json:"redis,omitempty"` // the address to serve on
	Provider *providerRole `json:"provider,omitempty"`
}

// providerRole is a simulated provider whose ledger survives it.
type providerRole struct {
	Address      string              `json:"address"`
	AdminAddress string              `json:"admin_address"`
	Webhooks     string              `json:"webhooks"`
	Journal      string              `json:"journal"`
	Seed         uint64              `json:"seed"`
	Contacts     simulator.Behaviour `json:"contacts"`
	Delivery     simulator.Delivery  `json:"delivery"`
	Conduct      simulator.Faults    `json:"conduct"`
	ReplyWindow  time.Duration       `json:"reply_window"`
	Edges        map[string][]edge   `json:"edges"`
}

func (r role) environment() map[string]string {
	text, err := json.Marshal(r)
	if err != nil {
		panic("chaos: a role can be written: " + err.Error())
	}
	return map[string]string{roleEnv: string(text)}
}

// playRole plays what this process was started for until it is told to stop. It
// reports false if that is chaos itself.
func playRole() (played bool, err error) {
	text := os.Getenv(roleEnv)
	if text == "" {
		return false, nil
	}
	var r role
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return true, fmt.Errorf("reading %s: %w", roleEnv, err)
	}
	ctx, done := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer done()
	if r.Provider != nil {
		return true, r.Provider.play(ctx)
	}
	redis, err := devstack.StartRedis(r.Redis)
	if err != nil {
		return true, err
	}
	defer redis.Stop()
	<-ctx.Done()
	return true, nil
}

func (r *providerRole) play(ctx context.Context) error {
	s, err := simulator.New(simulator.Config{
		Token: providerToken, DeviceID: device, DevicePhone: "+33639989999", WebhookURL: r.Webhooks, Delivery: r.Delivery,
		Seed: r.Seed, Contacts: r.Contacts, Faults: r.Conduct, JournalPath: r.Journal, AdminAddr: r.AdminAddress,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.Serve(ctx, r.Address) })
	group.Go(func() error { return s.Run(ctx) })
	group.Go(func() error { return r.playEdges(ctx, s) })
	return errors.Join(group.Wait(), s.Close())
}

// playEdges has contacts say what they say around the end of their windows. The
// ledger tells what they have said in an earlier life of this process.
func (r *providerRole) playEdges(ctx context.Context, s *simulator.Simulator) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	firsts, said := map[string]simulator.Message{}, map[string]int{}
	for _, reply := range s.Ledger().Replies {
		if strings.HasPrefix(reply.ID, "manual/") {
			said[reply.Phone]++
		}
	}
	known := 0
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if messages := s.Health().Messages; messages > known {
			for _, m := range s.Ledger().Messages[known:] {
				if m.Before == 0 {
					firsts[m.Phone] = m
				}
				known++
			}
		}
		for phone, first := range firsts {
			due := r.Edges[phone][min(said[phone], len(r.Edges[phone])):]
			if len(due) == 0 {
				delete(firsts, phone)
				continue
			}
			if time.Now().Before(first.At.Add(r.ReplyWindow + due[0].After)) {
				continue
			}
			request := simulator.ReplyRequest{Phone: phone, Type: due[0].Type, Text: due[0].Text}
			if due[0].Quote {
				request.Quote = first.ID
			}
			if _, err := s.Reply(request); err != nil {
				return fmt.Errorf("having a contact reply: %w", err)
			}
			said[phone]++
		}
	}
}
